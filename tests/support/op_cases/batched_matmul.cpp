// Cases of kernels/batched_matmul.h.
#include "kernels/batched_matmul.h"

#include "tests/reference/batched_matmul.h"
#include "tests/support/op_case.h"

namespace duel::test::batched_matmul_cases {

namespace {

struct Problem {
  int batch, m, n, k;
  BatchedMatmul matmul = {};
  DType in = DType::f32, out = DType::f32;
};

OpCase make_case(const Problem& p) {
  const BatchedMatmul matmul = p.matmul;
  return {.op = "batched_matmul",
          .name = fmt::format("{}{}_{}_of_m{}_n{}_k{}_{}_{}", matmul.transpose_a ? "t" : "n",
                              matmul.transpose_b ? "t" : "n", p.batch, p.m, p.n, p.k, name_of(p.in), name_of(p.out)),
          .inputs = {{"a", matmul.transpose_a ? Shape{p.batch, p.k, p.m} : Shape{p.batch, p.m, p.k}, p.in, normal()},
                     {"b", matmul.transpose_b ? Shape{p.batch, p.n, p.k} : Shape{p.batch, p.k, p.n}, p.in, normal()}},
          .outputs = {{.name = "y", .shape = {p.batch, p.m, p.n}, .dtype = p.out, .magnitude = 4.0}},
          .run = [=](Context& context, Views in,
                     Views out) { duel::batched_matmul(context, matmul, in[0], in[1], out[0]); },
          .prepare = [=](Context& context, Views in,
                         Views out) { prepare_batched_matmul(context, matmul, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::batched_matmul(matmul, p.batch, p.m, p.n, p.k, in[0], in[1]);
              },
          .terms = p.k,
          .same_for_any_threads = false,
          .needs_bf16 = p.in == DType::bf16,
          .cost = [=](Views in, Views out) { return batched_matmul_cost(matmul, in[0], in[1], out[0]); }};
}

std::vector<OpCase> make_cases() {
  const int sizes[][4] = {{1, 1, 1, 1}, {3, 5, 7, 1}, {5, 1, 3, 33}, {7, 33, 1, 5}, {2, 65, 33, 17}, {3, 16, 100, 64}};
  std::vector<OpCase> cases;
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      for (const auto& [in, out] : {std::pair{DType::f32, DType::f32},
                                    {DType::f32, DType::bf16},
                                    {DType::bf16, DType::bf16},
                                    {DType::bf16, DType::f32}}) {
        for (const auto& [batch, m, n, k] : sizes) {
          cases.push_back(make_case({batch, m, n, k, {transpose_a, transpose_b}, in, out}));
        }
      }
    }
  }
  cases.push_back(unaligned(make_case({3, 5, 7, 9})));
  // Attention of 64 pictures of 32x32 pixels and 64 channels: scores, sums, and a gradient of each.
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Problem& p : {Problem{64, 1024, 1024, 8, {false, true}},
                             {64, 1024, 64, 1024},
                             {64, 1024, 8, 1024},
                             {64, 1024, 64, 1024, {true, false}}}) {
      Problem typed = p;
      typed.in = typed.out = dtype;
      OpCase c = make_case(typed);
      c.name = "attention_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::batched_matmul_cases
