// Cases of kernels/conv2d_bias_act.h.
#include "kernels/conv2d_bias_act.h"

#include "tests/reference/conv2d_bias_act.h"
#include "tests/support/op_case.h"

#include <algorithm>

namespace duel::test::conv2d_bias_act_cases {

namespace {

struct Problem {
  Shape x;      // N H W C
  int k, r, s;  // filters and their extents
  Conv2d conv = {};

  Shape w() const { return {k, r, s, x[3]}; }
  Shape y() const { return conv2d_output(conv, x, w()); }
};

// y as it can be: in the range of the activation, with its edges.
Fill outputs_of(const Activation& act) {
  switch (act.kind) {
    case ActivationKind::relu:
      return [](std::mt19937_64& generator, Array& array) {
        normal()(generator, array);
        for (double& value : array) {
          value = std::max(value, 0.0);
        }
      };
    case ActivationKind::tanh: return with_head({1, -1, 0}, uniform(-1, 1));
    case ActivationKind::sigmoid: return with_head({0, 1, 0.5}, uniform(0, 1));
    default: return with_head({0, -0.0}, normal());
  }
}

OpCase make_case(const Problem& p, const Activation& act, DType dtype) {
  const Conv2d& c = p.conv;
  const std::int64_t pixels = p.y().outer_count();
  OpCase result{
      .op = "conv2d_bias_act_backward",
      .name = fmt::format("x{}_k{}_filter{}x{}_stride{}_pad{}{}{}{}_{}_{}", name_of_extents(p.x), p.k, p.r, p.s,
                          c.stride, c.pad_top, c.pad_bottom, c.pad_left, c.pad_right, name_of(act), name_of(dtype)),
      .inputs = {{"x", p.x, dtype, normal()}, {"dy", p.y(), dtype, normal()}, {"y", p.y(), dtype, outputs_of(act)}},
      .outputs = {{.name = "dz", .shape = p.y(), .dtype = dtype},
                  {.name = "dw", .shape = p.w(), .magnitude = 4},
                  {.name = "db", .shape = {p.k}}},
      .run =
          [=](Context& context, Views in, Views out) {
            conv2d_bias_act_backward(context, p.conv, act, in[0], in[1], in[2], out[0], out[1], out[2]);
          },
      .prepare =
          [=](Context& context, Views in, Views out) {
            prepare_conv2d_bias_act_backward(context, p.conv, act, in[0], in[1], in[2], out[0], out[1], out[2]);
          },
      .reference =
          [=](const Arrays& in, Arrays& out) {
            out[0] = reference::activation_backward(act, in[1], in[2]);
            Array stored = out[0];  // what is summed is dz as it is stored
            for (double& value : stored) {
              value = rounded(value, dtype);
            }
            reference::LayerGradients sums = reference::layer_gradients(p.conv, p.x, p.w(), in[0], stored);
            out[1] = std::move(sums.dw);
            out[2] = std::move(sums.db);
          },
      .terms = pixels,
      .same_for_any_threads = false,
      .needs_bf16 = dtype == DType::bf16,
      .cost =
          [=](Views in, Views out) {
            const Cost products = conv2d_cost(p.conv, in[0], out[1], in[1]);
            return Cost{products.flops, bytes_of({in[0], in[1], in[2], out[0], out[1], out[2]})};
          }};
  if (dtype == DType::bf16) {
    // One element of dz whose f32 lies at the middle of two bf16 may fall to the other side: 2^-6, for the largest.
    for (const std::size_t sum : {1, 2}) {
      result.outputs[sum].magnitude += 0x1p18 / static_cast<double>(pixels);
    }
  }
  return result;
}

std::vector<OpCase> make_cases() {
  const auto padded = [](int stride, int top, int bottom, int left, int right) {
    return Conv2d{stride, top, bottom, left, right};
  };
  const Problem problems[] = {
      {{1, 1, 1, 1}, 1, 1, 1},
      {{5, 28, 28, 1}, 32, 3, 3, Conv2d::same(3)},
      {{2, 9, 35, 1}, 33, 3, 3, padded(2, 1, 0, 2, 1)},  // rows cut into tiles, single channels
      {{3, 40, 5, 1}, 68, 3, 3, Conv2d::same(3)},        // columns too, more channels than a block takes
      {{3, 7, 5, 3}, 16, 3, 3, Conv2d::same(3)},
      {{2, 16, 14, 3}, 24, 4, 4, padded(2, 1, 1, 1, 1)},  // as DCGAN's
      {{1, 9, 8, 2}, 12, 7, 7, Conv2d::same(7)},          // a row of taps in two pieces
      {{33, 3, 3, 4}, 5, 2, 3, padded(1, 1, 0, 0, 1)},
      {{2, 11, 10, 1}, 8, 3, 1, padded(3, 0, 1, 0, 0)},
      {{2, 6, 5, 1}, 8, 1, 3, padded(1, 0, 0, 1, 1)},  // three taps in a row, but one row
      {{3, 8, 9, 5}, 16, 3, 3, Conv2d::same(3)},       // more than a few channels
      {{2, 8, 8, 16}, 32, 4, 4, padded(2, 1, 1, 1, 1)},
      {{1, 30, 30, 4}, 3, 9, 9, Conv2d::same(9)},  // more taps than the kernel of few channels takes
  };
  const std::vector<Activation> activations = every_activation();
  std::vector<OpCase> cases;
  std::size_t turn = 0;
  for (const Problem& p : problems) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      // Products of more channels or taps may go to tensor cores: there dz has to be dy or 0, whose digits TF32 holds.
      const Activation& act = activations[turn++ % activations.size()];
      const bool is_large = p.x[3] > kFewChannels || p.r * p.s > 50;
      cases.push_back(make_case(p, is_large ? Activation{ActivationKind::relu} : act, dtype));
    }
  }
  for (const Activation& act : activations) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      cases.push_back(make_case({{3, 6, 10, 1}, 20, 3, 3, Conv2d::same(3)}, act, dtype));
    }
  }
  for (const DType dtype : {DType::f32, DType::bf16}) {
    cases.push_back(unaligned(make_case({{2, 9, 7, 3}, 16, 3, 3, Conv2d::same(3)}, {ActivationKind::relu}, dtype)));
    OpCase classic = make_case({{128, 28, 28, 1}, 32, 3, 3, Conv2d::same(3)}, {ActivationKind::relu}, dtype);
    classic.name = "classic_conv1_" + classic.name;
    classic.tags = {"perf"};
    cases.push_back(std::move(classic));
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::conv2d_bias_act_cases
