// Cases of kernels/conv2d.h: each problem is run by all three operators.
#include "kernels/conv2d.h"

#include "tests/reference/conv2d.h"
#include "tests/support/op_case.h"

#include <cmath>

namespace duel::test::conv2d_cases {

namespace {

struct Problem {
  Shape x;      // N H W C
  int k, r, s;  // filters and their extents
  Conv2d conv = {};
  Activation activation = {};
  bool bias = false;
  DType in = DType::f32, out = DType::f32;

  Shape w() const { return {k, r, s, x[3] / conv.groups}; }
  Shape y() const { return conv2d_output(conv, x, w()); }
};

std::string describe(const Problem& p) {
  const Conv2d& c = p.conv;
  return fmt::format("x{}_k{}_{}filter{}x{}_stride{}_pad{}{}{}{}_{}_{}", name_of_extents(p.x), p.k,
                     c.groups > 1 ? fmt::format("groups{}_", c.groups) : "", p.r, p.s, c.stride, c.pad_top,
                     c.pad_bottom, c.pad_left, c.pad_right, name_of(p.in), name_of(p.out));
}

double terms_of(const Shape& shape) {
  return static_cast<double>(shape.row_count());
}

OpCase forward_case(const Problem& p) {
  const auto bias_of = [](Views inputs) { return inputs.size() > 2 ? inputs[2] : View{}; };
  OpCase c{.op = "conv2d_forward",
           .name = describe(p) + "_" + name_of(p.activation) + (p.bias ? "_bias" : ""),
           .inputs = {{"x", p.x, p.in, normal()}, {"w", p.w(), p.in, normal(1 / std::sqrt(terms_of(p.w())))}},
           .outputs = {{.name = "y", .shape = p.y(), .dtype = p.out}},
           .run = [=](Context& context, Views in,
                      Views out) { conv2d_forward(context, p.conv, p.activation, in[0], in[1], bias_of(in), out[0]); },
           .prepare =
               [=](Context& context, Views in, Views out) {
                 prepare_conv2d_forward(context, p.conv, p.activation, in[0], in[1], bias_of(in), out[0]);
               },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 out[0] = reference::conv2d_forward(p.conv, p.activation, p.x, p.w(), in[0], in[1],
                                                    p.bias ? in[2] : Array{});
               },
           .terms = p.w().row_count() + 1,
           .same_for_any_threads = false,
           .needs_bf16 = p.in == DType::bf16,
           .cost = [=](Views in, Views out) { return conv2d_cost(p.conv, in[0], in[1], out[0]); }};
  if (p.bias) {
    c.inputs.push_back({"bias", {p.k}, DType::f32, normal()});
  }
  return c;
}

OpCase backward_input_case(const Problem& p) {
  return {
      .op = "conv2d_backward_input",
      .name = describe(p),
      .inputs = {{"dy", p.y(), p.in, normal()}, {"w", p.w(), p.in, normal(1 / std::sqrt(terms_of(p.w())))}},
      .outputs = {{.name = "dx", .shape = p.x, .dtype = p.out}},
      .run = [=](Context& context, Views in,
                 Views out) { conv2d_backward_input(context, p.conv, in[0], in[1], out[0]); },
      .prepare = [=](Context& context, Views in,
                     Views out) { prepare_conv2d_backward_input(context, p.conv, in[0], in[1], out[0]); },
      .reference = [=](const Arrays& in,
                       Arrays& out) { out[0] = reference::conv2d_backward_input(p.conv, p.x, p.w(), in[0], in[1]); },
      .terms = std::int64_t{p.k / p.conv.groups} * p.r * p.s,
      .same_for_any_threads = false,
      .needs_bf16 = p.in == DType::bf16,
      .cost = [=](Views in, Views out) { return conv2d_cost(p.conv, out[0], in[1], in[0]); }};
}

OpCase backward_weight_case(const Problem& p) {
  return {
      .op = "conv2d_backward_weight",
      .name = describe(p),
      .inputs = {{"x", p.x, p.in, normal()}, {"dy", p.y(), p.in, normal()}},
      .outputs = {{.name = "dw", .shape = p.w(), .dtype = DType::f32, .magnitude = 4}},
      .run = [=](Context& context, Views in,
                 Views out) { conv2d_backward_weight(context, p.conv, in[0], in[1], out[0]); },
      .prepare = [=](Context& context, Views in,
                     Views out) { prepare_conv2d_backward_weight(context, p.conv, in[0], in[1], out[0]); },
      .reference = [=](const Arrays& in,
                       Arrays& out) { out[0] = reference::conv2d_backward_weight(p.conv, p.x, p.w(), in[0], in[1]); },
      .terms = p.y().count() / p.k,
      .same_for_any_threads = false,
      .needs_bf16 = p.in == DType::bf16,
      .cost = [=](Views in, Views out) { return conv2d_cost(p.conv, in[0], out[0], in[1]); }};
}

Conv2d padded(int stride, int top, int bottom, int left, int right) {
  return {stride, top, bottom, left, right};
}

std::vector<Problem> problems() {
  std::vector<Problem> list = {
      // 1x1 filters
      {{1, 1, 1, 1}, 1, 1, 1},
      {{5, 7, 9, 3}, 5, 1, 1},
      {{5, 7, 9, 16}, 33, 1, 1},
      {{1, 7, 5, 17}, 3, 1, 1, padded(2, 0, 0, 0, 0)},
      {{5, 8, 7, 2}, 16, 1, 1, padded(3, 0, 0, 0, 0)},
      {{1, 3, 5, 3}, 2, 1, 1, padded(1, 1, 1, 1, 1)},
      // 3x3, as in the discriminators
      {{1, 28, 28, 1}, 32, 3, 3, Conv2d::same(3)},
      {{5, 7, 33, 1}, 16, 3, 3, Conv2d::same(3)},
      {{5, 9, 7, 3}, 17, 3, 3, padded(2, 1, 1, 1, 1)},
      {{5, 8, 6, 3}, 5, 3, 3, padded(2, 0, 1, 0, 1)},
      {{1, 9, 7, 5}, 3, 3, 3, padded(3, 2, 0, 1, 3)},
      {{5, 9, 11, 2}, 1, 3, 3},
      {{1, 3, 3, 33}, 17, 3, 3},  // the filter is the picture
      {{1, 1, 1, 3}, 5, 3, 3, Conv2d::same(3)},
      // 4x4, as in DCGAN
      {{5, 8, 12, 3}, 16, 4, 4, padded(2, 1, 1, 1, 1)},
      {{1, 7, 9, 16}, 32, 4, 4, padded(2, 1, 1, 1, 1)},
      {{5, 4, 4, 32}, 1, 4, 4},
      {{1, 5, 7, 1}, 2, 4, 4, padded(1, 1, 2, 2, 1)},
      {{1, 16, 16, 32}, 16, 4, 4, padded(2, 1, 1, 1, 1)},
      // 5x5
      {{1, 28, 28, 1}, 32, 5, 5, Conv2d::same(5)},
      {{5, 7, 5, 16}, 5, 5, 5, Conv2d::same(5)},
      {{1, 14, 13, 5}, 17, 5, 5, padded(2, 2, 2, 2, 2)},
      {{5, 5, 5, 3}, 16, 5, 5},
      {{1, 11, 10, 3}, 3, 5, 5, padded(3, 0, 1, 2, 3)},
      // 7x7
      {{1, 15, 17, 3}, 16, 7, 7, padded(2, 3, 3, 3, 3)},
      {{5, 7, 7, 1}, 33, 7, 7},
      {{1, 9, 8, 2}, 3, 7, 7, Conv2d::same(7)},
      {{1, 16, 14, 1}, 5, 7, 7, padded(3, 3, 2, 1, 0)},
      // few channels and few filters, in rows longer than a block of pixels
      {{5, 9, 30, 1}, 4, 3, 3, Conv2d::same(3)},
      {{1, 6, 33, 3}, 8, 5, 5, padded(1, 0, 2, 3, 1)},
      {{5, 7, 35, 2}, 7, 3, 4, padded(2, 1, 1, 0, 1)},
      // filters that are not square
      {{5, 6, 9, 3}, 5, 1, 5, padded(1, 0, 0, 2, 2)},
      {{1, 9, 6, 16}, 3, 3, 1, padded(2, 1, 1, 0, 0)},
      {{1, 5, 7, 2}, 5, 5, 7},
  };
  const int channels[] = {1, 2, 3, 5, 16, 17, 32, 33};  // every number of channels on either side
  for (int i = 0; i < 8; ++i) {
    list.push_back({{i % 2 == 0 ? 1 : 5, 6, 7, channels[i]}, channels[(i + 3) % 8], 3, 3, Conv2d::same(3)});
    list.push_back({{i % 2 == 0 ? 5 : 1, 5, 6, channels[(i + 5) % 8]}, channels[i], 3, 3, padded(2, 1, 1, 1, 1)});
    list.push_back({{2, 4, 5, channels[i]}, channels[i], 4, 4, padded(2, 1, 1, 1, 1)});
  }
  return list;
}

// 3x3 filters at stride 1 over vectors of channels, with so many pictures that the CPU takes Winograd's way: whole and
// ragged tiles of 4x4, also those that hang over one edge only, paddings from none to 2, one vector to four and an odd
// number of them, and tiles that do not fill the last block.
std::vector<Problem> winograd_problems() {
  return {
      {{8, 16, 16, 16}, 16, 3, 3, Conv2d::same(3)},
      {{11, 13, 15, 32}, 16, 3, 3, Conv2d::same(3)},
      {{9, 17, 14, 16}, 48, 3, 3},
      {{11, 14, 13, 48}, 32, 3, 3, padded(1, 2, 0, 1, 2)},
      {{33, 7, 8, 16}, 64, 3, 3, padded(1, 0, 2, 2, 1)},
      {{3, 28, 28, 32}, 64, 3, 3, Conv2d::same(3)},
  };
}

// 4x4 filters at stride 2 over vectors of channels, with so many pictures that the CPU takes Winograd's way there: even
// extents and odd ones, paddings from none to 2, and pictures that end at either phase.
std::vector<Problem> halving_problems() {
  return {
      {{33, 14, 14, 16}, 16, 4, 4, padded(2, 1, 1, 1, 1)}, {{9, 30, 30, 16}, 32, 4, 4, padded(2, 1, 1, 1, 1)},
      {{33, 15, 14, 32}, 16, 4, 4, padded(2, 0, 2, 1, 1)}, {{33, 16, 17, 16}, 48, 4, 4, padded(2, 0, 0, 0, 0)},
      {{35, 13, 14, 16}, 16, 4, 4, padded(2, 2, 2, 2, 1)},
  };
}

// Few filters at stride 1, as behind a generator: pictures of one to three channels out of many.
std::vector<Problem> few_filter_problems() {
  return {
      {{5, 8, 11, 16}, 1, 3, 3, Conv2d::same(3)},
      {{3, 7, 9, 33}, 3, 5, 3, padded(1, 2, 0, 1, 2)},
      {{2, 9, 6, 40}, 2, 4, 4, padded(1, 1, 2, 0, 3)},
  };
}

// Channels in whole steps of a product and enough pixels that a GPU's kernels walk from step to step, by every tile:
// few output channels and many, strides, several taps a step apart, and pixels that end rows, pictures and both in a
// step.
std::vector<Problem> walked_problems() {
  return {
      {{8, 8, 8, 32}, 32, 3, 3, Conv2d::same(3)},          {{6, 8, 8, 64}, 64, 3, 3, padded(1, 2, 0, 0, 2)},
      {{4, 16, 16, 32}, 160, 3, 3, padded(2, 1, 1, 1, 1)}, {{3, 16, 16, 64}, 160, 2, 5, padded(1, 0, 1, 2, 2)},
      {{32, 9, 13, 32}, 32, 3, 3, padded(2, 1, 1, 1, 1)},  {{4, 3, 40, 32}, 64, 1, 3, padded(1, 0, 0, 1, 1)},
      {{16, 3, 2, 32}, 32, 2, 2, padded(1, 1, 0, 1, 0)},
  };
}

// Groups of one channel and of 16, and others that fill no vector; more filters than channels and fewer; so many
// pictures that the CPU takes Winograd's way for groups of 16 and 32, tiles that do not fill a block among them, and so
// many pixels that a GPU's blocks share the weight gradient's sums.
std::vector<Problem> grouped_problems() {
  const auto in_groups = [](int groups, Conv2d conv) {
    conv.groups = groups;
    return conv;
  };
  return {
      {{1, 1, 1, 2}, 2, 1, 1, in_groups(2, {})},
      {{3, 5, 7, 6}, 4, 3, 3, in_groups(2, Conv2d::same(3))},
      {{2, 7, 5, 33}, 66, 3, 2, in_groups(11, padded(2, 1, 0, 1, 1))},
      {{2, 6, 9, 34}, 17, 1, 3, in_groups(17, padded(1, 0, 0, 2, 0))},
      {{5, 4, 4, 33}, 33, 4, 4, in_groups(33, {})},
      {{7, 9, 11, 3}, 3, 3, 3, in_groups(3, padded(2, 1, 1, 2, 0))},
      {{2, 8, 8, 5}, 15, 3, 3, in_groups(5, Conv2d::same(3))},
      {{3, 7, 7, 40}, 72, 3, 3, in_groups(2, padded(2, 1, 1, 1, 1))},
      {{3, 5, 7, 32}, 32, 3, 3, Conv2d::same(3, 2)},
      {{17, 4, 4, 48}, 48, 3, 3, Conv2d::same(3, 3)},
      {{9, 13, 15, 64}, 32, 3, 3, in_groups(2, padded(1, 2, 0, 1, 2))},
      {{33, 7, 8, 80}, 80, 3, 3, Conv2d::same(3, 5)},
      {{33, 16, 15, 16}, 16, 3, 3, Conv2d::same(3, 16)},
  };
}

std::vector<OpCase> make_cases() {
  const std::vector<Activation> activations = every_activation();
  const std::pair<DType, DType> types[] = {
      {DType::f32, DType::f32}, {DType::bf16, DType::bf16}, {DType::bf16, DType::f32}};
  std::vector<OpCase> cases;
  std::size_t turn = 0;
  for (Problem p : problems()) {
    for (const auto& [in, out] : types) {
      p.in = in;
      p.out = out;
      p.activation = activations[turn % 5];
      p.bias = turn % 2 == 0;
      cases.push_back(forward_case(p));
      cases.push_back(backward_input_case(p));
      if (out == DType::f32) {  // dw always is
        cases.push_back(backward_weight_case(p));
      }
      ++turn;
    }
  }
  // More than one tile of either size, and channels in whole 16-byte vectors, for tensor cores.
  const Problem many[] = {{{2, 13, 16, 16}, 72, 3, 3, Conv2d::same(3)},
                          {{3, 12, 14, 72}, 136, 4, 4, padded(2, 1, 1, 1, 1)},
                          {{2, 9, 11, 8}, 24, 3, 3, padded(2, 1, 0, 0, 1)}};
  for (Problem p : many) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      p.in = p.out = dtype;
      cases.push_back(forward_case(p));
      cases.push_back(backward_input_case(p));
      cases.push_back(backward_weight_case(p));
    }
  }
  for (Problem p : walked_problems()) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      p.in = p.out = dtype;
      cases.push_back(forward_case(p));
      cases.push_back(backward_input_case(p));
      cases.push_back(backward_weight_case(p));
    }
  }
  for (Problem p : winograd_problems()) {
    p.activation = activations[turn % 5];
    p.bias = turn % 2 == 0;
    cases.push_back(forward_case(p));
    cases.push_back(backward_input_case(p));
    cases.push_back(backward_weight_case(p));
    if (turn % 2 == 0) {  // and from bf16 to either type
      p.in = DType::bf16;
      p.out = turn % 4 == 0 ? DType::f32 : DType::bf16;
      cases.push_back(forward_case(p));
      cases.push_back(backward_input_case(p));
      if (p.out == DType::f32) {
        cases.push_back(backward_weight_case(p));
      }
    }
    ++turn;
  }
  std::vector<Problem> made_by_hand = halving_problems();
  const std::vector<Problem> few = few_filter_problems();
  made_by_hand.insert(made_by_hand.end(), few.begin(), few.end());
  for (Problem p : made_by_hand) {
    p.activation = activations[turn % 5];
    p.bias = turn % 2 == 0;
    ++turn;
    cases.push_back(forward_case(p));
    cases.push_back(backward_input_case(p));
    cases.push_back(backward_weight_case(p));
    p.in = DType::bf16;
    if (p.conv.stride == 1) {  // halving forwards is in f32 alone
      cases.push_back(forward_case(p));
    }
    cases.push_back(backward_weight_case(p));
  }
  for (Problem p : grouped_problems()) {
    for (const auto& [in, out] : types) {
      p.in = in;
      p.out = out;
      p.activation = activations[turn % 5];
      p.bias = turn % 2 == 0;
      ++turn;
      cases.push_back(forward_case(p));
      cases.push_back(backward_input_case(p));
      if (out == DType::f32) {
        cases.push_back(backward_weight_case(p));
      }
    }
  }
  for (const Activation& activation : activations) {
    cases.push_back(forward_case({{9, 15, 16, 16}, 32, 3, 3, Conv2d::same(3), activation, true}));
  }
  for (const Activation& activation : activations) {  // and each activation with and without a bias
    for (const bool bias : {false, true}) {
      for (const auto& [in, out] : types) {
        for (const int c : {1, 16}) {
          cases.push_back(forward_case({{3, 5, 9, c}, 24, 3, 3, Conv2d::same(3), activation, bias, in, out}));
        }
      }
    }
  }
  for (const DType dtype : {DType::f32, DType::bf16}) {
    // The preset `classic`: real and generated pictures together, batch 64.
    const std::pair<const char*, Problem> layers[] = {
        {"classic_conv1_", {{128, 28, 28, 1}, 32, 3, 3, Conv2d::same(3), {ActivationKind::relu}, true, dtype, dtype}},
        {"classic_conv2_", {{128, 28, 28, 32}, 64, 3, 3, Conv2d::same(3), {ActivationKind::relu}, true, dtype, dtype}},
        {"dcgan_conv2_",
         {{64, 32, 32, 64}, 128, 4, 4, padded(2, 1, 1, 1, 1), {ActivationKind::identity}, false, dtype, dtype}},
        {"dense_128_", {{64, 32, 32, 128}, 128, 3, 3, Conv2d::same(3), {}, false, dtype, dtype}},
        {"groups_of_16_", {{64, 32, 32, 128}, 128, 3, 3, Conv2d::same(3, 8), {}, false, dtype, dtype}},
    };
    for (const auto& [name, problem] : layers) {
      cases.push_back(forward_case(problem));
      cases.push_back(backward_input_case(problem));
      cases.push_back(backward_weight_case(problem));
      for (std::size_t i = cases.size() - 3; i < cases.size(); ++i) {
        cases[i].name = name + cases[i].name;
        cases[i].tags = {"perf"};
      }
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::conv2d_cases
