// Cases of kernels/matmul.h.
#include "kernels/matmul.h"

#include "tests/reference/matmul.h"
#include "tests/support/op_case.h"

#include <cmath>

namespace duel::test::matmul_cases {

namespace {

constexpr Activation kIdentity{ActivationKind::identity}, kRelu{ActivationKind::relu}, kTanh{ActivationKind::tanh};

struct Problem {
  int m, n, k;
  Matmul matmul = {};
  bool bias = false;
  DType in = DType::f32, out = DType::f32;
  Shape a = {}, b = {}, y = {};  // where they are not the matrices that m, n and k tell
};

std::string describe(const Problem& p) {
  const bool is_rank4 = p.a.rank() + p.b.rank() + p.y.rank() > 0;
  return fmt::format("{}{}_m{}_n{}_k{}_{}_{}_{}{}{}", p.matmul.transpose_a ? "t" : "n",
                     p.matmul.transpose_b ? "t" : "n", p.m, p.n, p.k, name_of(p.in), name_of(p.out),
                     name_of(p.matmul.activation), p.bias ? "_bias" : "", is_rank4 ? "_rank4" : "");
}

OpCase make_case(const Problem& p) {
  const Matmul matmul = p.matmul;
  const Shape a = p.a.rank() > 0 ? p.a : matmul.transpose_a ? Shape{p.k, p.m} : Shape{p.m, p.k};
  const Shape b = p.b.rank() > 0 ? p.b : matmul.transpose_b ? Shape{p.n, p.k} : Shape{p.k, p.n};
  const Shape y = p.y.rank() > 0 ? p.y : Shape{p.m, p.n};
  const auto bias_of = [](Views inputs) { return inputs.size() > 2 ? inputs[2] : View{}; };
  // The functions that flatten at large values get arguments of the order 1.
  const bool flattens =
      matmul.activation.kind == ActivationKind::tanh || matmul.activation.kind == ActivationKind::sigmoid;
  const double scale = flattens ? 1 / std::sqrt(p.k) : 1;

  OpCase c{.op = "matmul",
           .name = describe(p),
           .inputs = {{"a", a, p.in, normal(scale)}, {"b", b, p.in, normal()}},
           .outputs = {{.name = "y", .shape = y, .dtype = p.out, .magnitude = flattens ? 1.0 : 4.0}},
           .run = [=](Context& context, Views in,
                      Views out) { duel::matmul(context, matmul, in[0], in[1], bias_of(in), out[0]); },
           .prepare = [=](Context& context, Views in,
                          Views out) { prepare_matmul(context, matmul, in[0], in[1], bias_of(in), out[0]); },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 out[0] = reference::matmul(matmul, p.m, p.n, p.k, in[0], in[1], p.bias ? in[2] : Array{});
               },
           .terms = p.k,
           .same_for_any_threads = false,
           .needs_bf16 = p.in == DType::bf16,
           .cost = [=](Views in, Views out) { return matmul_cost(matmul, in[0], in[1], bias_of(in), out[0]); }};
  if (p.bias) {
    c.inputs.push_back({"bias", {p.n}, DType::f32, normal()});
  }
  return c;
}

// The products of one training step of the preset `classic` at a batch of 64.
std::vector<OpCase> perf_cases(DType dtype) {
  const Problem problems[] = {
      {64, 128, 100, {false, false, kRelu}, true},  // generator, forward
      {64, 256, 128, {false, false, kRelu}, true},
      {64, 512, 256, {false, false, kRelu}, true},
      {64, 1024, 512, {false, false, kRelu}, true},
      {64, 784, 1024, {false, false, kTanh}, true},
      {64, 1024, 784, {false, true, kIdentity}},       // generator, gradient of the last layer's input
      {1024, 784, 64, {true, false, kIdentity}},       // and of its weight
      {128, 128, 50176, {false, false, kRelu}, true},  // discriminator: real and generated pictures together
      {64, 128, 50176, {false, false, kRelu}, true},   // discriminator, in the generator's phase
      {128, 50176, 128, {false, true, kIdentity}},
      {50176, 128, 128, {true, false, kIdentity}},
      {128, 1, 128, {}, true},
  };
  std::vector<OpCase> cases;
  for (Problem p : problems) {
    p.in = dtype;
    p.out = p.matmul.transpose_a ? DType::f32 : dtype;  // gradients of weights stay in f32
    cases.push_back(make_case(p));
    cases.back().name = "classic_" + cases.back().name;
    cases.back().tags = {"perf"};
  }
  return cases;
}

std::vector<OpCase> make_cases() {
  const int sizes[][3] = {{1, 1, 1},      {3, 5, 7},       {5, 7, 3},    {7, 3, 5},      {1, 128, 1},
                          {1, 33, 128},   {33, 1, 100},    {100, 33, 7}, {33, 100, 128}, {128, 7, 33},
                          {100, 128, 33}, {128, 128, 100}, {5, 100, 1},  {7, 128, 100}};
  const std::vector<Activation> activations = every_activation();
  const std::pair<DType, DType> types[] = {
      {DType::f32, DType::f32}, {DType::f32, DType::bf16}, {DType::bf16, DType::bf16}, {DType::bf16, DType::f32}};
  std::vector<OpCase> cases;
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      std::size_t turn = 0;  // every size meets another activation in each type
      for (const auto& [in, out] : types) {
        for (const auto& [m, n, k] : sizes) {
          const Activation activation = activations[turn % 5];
          cases.push_back(make_case({m, n, k, {transpose_a, transpose_b, activation}, turn % 2 == 0, in, out}));
          ++turn;
        }
      }
      // Extents of whole 16-byte vectors, for tensor cores: less than a tile, ragged, long sums, many tiles.
      const int whole[][3] = {{8, 8, 8}, {72, 40, 24}, {64, 64, 96}, {40, 48, 1000}, {136, 264, 104}, {264, 72, 32}};
      for (const auto& [in, out] : types) {
        for (const auto& [m, n, k] : whole) {
          const Activation activation = activations[turn % 5];
          cases.push_back(make_case({m, n, k, {transpose_a, transpose_b, activation}, turn % 2 == 0, in, out}));
          ++turn;
        }
      }
      for (const DType dtype : {DType::f32, DType::bf16}) {
        cases.push_back(make_case({3, 5, 50176, {transpose_a, transpose_b, kIdentity}, true, dtype, DType::f32}));
      }
    }
  }
  for (const DType dtype : {DType::f32, DType::bf16}) {  // sums so long that tensor cores' cut-off bits add up
    cases.push_back(make_case({16, 24, 50176, {false, true, kIdentity}, false, dtype, DType::f32}));
  }
  // One long extent, for which the CPU has a way of its own: whole blocks of rows, columns and steps, and what is left.
  const Problem long_ones[] = {
      {40, 96, 4352, {false, false, kRelu}, true}, {33, 80, 4100, {false, false, kTanh}, true},
      {38, 64, 4101, {true, false, kIdentity}},    {35, 48, 4112, {false, true, kRelu}},
      {37, 4144, 32, {false, true, kIdentity}},    {32, 4192, 33, {false, false, kIdentity}},
      {34, 4112, 150, {false, false, kIdentity}},  {4099, 48, 37, {true, false, kIdentity}},
      {4104, 32, 64, {false, true, kIdentity}},    {4113, 112, 130, {true, false, kIdentity}},
  };
  for (const Problem& p : long_ones) {
    cases.push_back(make_case(p));
  }
  for (const auto& [in, out] : types) {  // pictures as rows of a matrix, on either side, and as the result
    cases.push_back(make_case({5, 33, 42, {}, true, in, out, {5, 3, 7, 2}}));
    cases.push_back(make_case({42, 7, 5, {true, false, kIdentity}, false, in, out, {5, 3, 7, 2}}));
    cases.push_back(make_case({33, 42, 5, {true, false, kIdentity}, false, in, out, {}, {5, 3, 7, 2}}));
    cases.push_back(make_case({5, 3, 42, {false, true, kIdentity}, false, in, out, {}, {3, 7, 3, 2}}));
    cases.push_back(make_case({5, 42, 16, {}, false, in, out, {}, {}, {5, 3, 7, 2}}));
  }
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (OpCase& c : perf_cases(dtype)) {
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::matmul_cases
