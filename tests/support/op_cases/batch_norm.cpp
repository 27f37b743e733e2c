// Cases of kernels/batch_norm.h.
#include "kernels/batch_norm.h"

#include "tests/reference/batch_norm.h"
#include "tests/support/op_case.h"

namespace duel::test::batch_norm_cases {

namespace {

std::string describe(const Activation& act, const Shape& shape, DType dtype) {
  return fmt::format("{}_{}_{}", name_of(act), name_of_extents(shape), name_of(dtype));
}

OpCase forward_case(const BatchNorm& p, const Shape& shape, DType dtype, const Fill& fill = normal(),
                    const std::string& prefix = "") {
  const Shape columns{shape.back()};
  return {.op = "batch_norm_forward",
          .name = prefix + describe(p.activation, shape, dtype),
          .inputs = {{"x", shape, dtype, fill},
                     {"gamma", columns, DType::f32, uniform(-1.5, 1.5)},
                     {"beta", columns, DType::f32, normal()}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .magnitude = 4, .may_be = {0}},
                      {.name = "mean", .shape = columns},
                      {.name = "rstd", .shape = columns, .magnitude = 2}},
          .run = [=](Context& context, Views in,
                     Views out) { batch_norm_forward(context, p, in[0], in[1], in[2], out[0], out[1], out[2]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                const auto s = reference::batch_statistics(in[0], shape.back());
                out[1] = s.mean;
                out[2] = reference::reciprocal_deviation(s.variance, static_cast<double>(p.epsilon));
                out[0] = reference::batch_normalize(p.activation, in[0], in[1], in[2], out[1], out[2]);
              },
          // At least 8: rstd of nearly equal numbers rests on their rounded mean.
          .terms = std::max<std::int64_t>(8, shape.outer_count())};
}

OpCase inference_case(const BatchNorm& p, const Shape& shape, DType dtype) {
  const Shape columns{shape.back()};
  return {.op = "batch_norm_inference",
          .name = describe(p.activation, shape, dtype),
          .inputs = {{"x", shape, dtype, normal()},
                     {"gamma", columns, DType::f32, uniform(-1.5, 1.5)},
                     {"beta", columns, DType::f32, normal()},
                     {"mean", columns, DType::f32, normal()},
                     {"variance", columns, DType::f32, with_head({0}, uniform(0.1, 4))}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .magnitude = 8, .may_be = {0}}},
          .run = [=](Context& context, Views in,
                     Views out) { batch_norm_inference(context, p, in[0], in[1], in[2], in[3], in[4], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                const Array rstd = reference::reciprocal_deviation(in[4], static_cast<double>(p.epsilon));
                out[0] = reference::batch_normalize(p.activation, in[0], in[1], in[2], in[3], rstd);
              },
          .terms = 4};
}

OpCase backward_case(const Shape& shape, DType dtype) {
  const Shape columns{shape.back()};
  return {
      .op = "batch_norm_backward",
      .name = fmt::format("{}_{}", name_of_extents(shape), name_of(dtype)),
      .inputs = {{"dy", shape, dtype, normal()},
                 {"x", shape, dtype, normal()},
                 {"gamma", columns, DType::f32, uniform(-1.5, 1.5)},
                 {"mean", columns, DType::f32, normal()},
                 {"rstd", columns, DType::f32, uniform(0.5, 2)}},
      .outputs = {{.name = "dx", .shape = shape, .dtype = dtype, .magnitude = 8, .may_be = {0, 1}},
                  {.name = "dgamma", .shape = columns, .magnitude = 4},
                  {.name = "dbeta", .shape = columns}},
      .run = [](Context& context, Views in,
                Views out) { batch_norm_backward(context, in[0], in[1], in[2], in[3], in[4], out[0], out[1], out[2]); },
      .reference =
          [](const Arrays& in, Arrays& out) {
            auto g = reference::batch_norm_backward(in[0], in[1], in[2], in[3], in[4]);
            out = {g.dx, g.dgamma, g.dbeta};
          },
      .terms = std::max<std::int64_t>(4, shape.outer_count())};
}

OpCase track_case(int columns, const BatchNormTrack& p) {
  const Shape shape{columns};
  return {.op = "batch_norm_track",
          .name = fmt::format("{}_rows{}_momentum{}", columns, p.rows, static_cast<int>(p.momentum * 100)),
          .inputs = {{"mean", shape, DType::f32, normal()},
                     // the first: a variance of 0, the largest rstd that there is
                     {"rstd", shape, DType::f32,
                      with_head({1 / std::sqrt(static_cast<double>(p.epsilon))}, uniform(0.3, 3))}},
          .outputs = {{.name = "running_mean", .shape = shape, .initial = normal()},
                      {.name = "running_variance", .shape = shape, .magnitude = 12, .initial = uniform(0.1, 4)}},
          .run =
              [=](Context& context, Views in, Views out) {
                batch_norm_track(context, p, in[0], in[1], {out[0], out[1]});
              },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                reference::batch_norm_track(static_cast<double>(p.rows), static_cast<double>(p.momentum),
                                            static_cast<double>(p.epsilon), in[0], in[1], out[0], out[1]);
              },
          .terms = 4};
}

std::vector<OpCase> make_cases() {
  const Activation relu{ActivationKind::relu};
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    // One row; few columns and many; several ranges of rows and several tiles of columns; columns in whole vectors.
    std::size_t turn = 0;
    for (const Shape& shape : {Shape{1, 1},
                               {3, 1},
                               {1, 7},
                               {5, 3},
                               {33, 33},
                               {1000, 3},
                               {4099, 1},
                               {2, 7, 5, 16},
                               {3, 1000},
                               {700, 64},
                               {130, 264},
                               {5, 9, 11, 72}}) {
      const Activation act = every_activation()[turn++ % every_activation().size()];
      cases.push_back(forward_case({1e-5F, act}, shape, dtype));
      cases.push_back(inference_case({1e-5F, act}, shape, dtype));
      cases.push_back(backward_case(shape, dtype));
    }
    // DCGAN's second layer at batch 128.
    const Shape layer{128, 8, 8, 256};
    for (OpCase c : {forward_case({1e-5F, relu}, layer, dtype), inference_case({1e-5F, relu}, layer, dtype),
                     backward_case(layer, dtype)}) {
      c.name = "dcgan_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  const BatchNorm plain;
  const Shape shape{77, 12};
  cases.push_back(forward_case({0.5F, {}}, shape, DType::f32, normal(), "large_epsilon_"));
  cases.push_back(forward_case(plain, shape, DType::f32, with_head({1e4}, normal()), "far_first_value_"));
  cases.back().outputs[1].magnitude = 1e4;
  // Columns of one number have no variance at all: y is beta.
  cases.push_back(forward_case(plain, shape, DType::f32, values({12345.678}), "equal_"));
  cases.back().outputs[1].magnitude = 12346;
  // A mean of a thousand deviations: E[x^2] - E[x]^2 in f32 would leave no digit.
  cases.push_back(forward_case(
      plain, {2000, 4}, DType::f32,
      [](std::mt19937_64& generator, Array& array) {
        normal()(generator, array);
        for (double& value : array) {
          value += 1000;
        }
      },
      "far_from_zero_"));
  cases.back().tolerance = {{0x1p-20, 2e-4}, "a mean of 1000 is rounded to f32 by up to 2^-15"};
  for (const int columns : {1, 7, 33, 1000}) {
    cases.push_back(track_case(columns, {.rows = 64}));
  }
  cases.push_back(track_case(5, {.rows = 2, .momentum = 1.0F, .epsilon = 1e-3F}));
  cases.push_back(track_case(5, {.rows = std::int64_t{1} << 40, .momentum = 0.0F}));
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::batch_norm_cases
