// Cases of kernels/reduce.h.
#include "kernels/reduce.h"

#include "tests/reference/reduce.h"
#include "tests/support/op_case.h"

namespace duel::test::reduce_cases {

namespace {

std::string describe(const Reduce& p, const Shape& shape, DType dtype) {
  return fmt::format("{}_{}_{}", name_of(p.axes), name_of_extents(shape), name_of(dtype));
}

std::int64_t terms_of(Axes axes, const Shape& shape) {
  return shape.count() / reduce_output(axes, shape).count();
}

OpCase reduce_case(const Reduce& p, const Shape& shape, DType dtype, const Fill& fill, const std::string& prefix = "") {
  return {.op = "reduce_sum",
          .name = prefix + describe(p, shape, dtype),
          .inputs = {{"x", shape, dtype, fill}},
          .outputs = {{.name = "y", .shape = reduce_output(p.axes, shape)}},
          .run = [=](Context& context, Views in, Views out) { reduce_sum(context, p, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::reduce_sum(p, shape, in[0]); },
          .terms = terms_of(p.axes, shape)};
}

OpCase broadcast_case(const Reduce& p, const Shape& shape, DType dtype) {
  return {.op = "broadcast",
          .name = describe(p, shape, dtype),
          .inputs = {{"x", reduce_output(p.axes, shape), DType::f32, normal()}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { broadcast(context, p, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::broadcast(p, shape, in[0]); }};
}

// 1 and then many numbers each too small to be added to it one by one in f32: a running sum stays at 1.
OpCase one_and_many_small(Axes axes, const Shape& shape) {
  OpCase c = reduce_case({axes, 1.0F}, shape, DType::f32, with_head({1}, values({0x1p-25})), "one_and_many_small_");
  c.tolerance = {{0, static_cast<double>(shape.count()) * 0x1p-25 * 0.01},
                 "what is asked is not to lose the small terms: at most a hundredth of their sum"};
  return c;
}

// Large numbers that cancel, with small ones between them.
OpCase cancelling(Axes axes, const Shape& shape) {
  OpCase c = reduce_case({axes, 1.0F}, shape, DType::f32, values({4096, 0.25, -4096, 0.5, 1000, -0.125, -1000}),
                         "cancelling_");
  c.outputs[0].magnitude = 4096;
  return c;
}

std::vector<OpCase> make_cases() {
  constexpr Axes kAxes[] = {Axes::all, Axes::each_row, Axes::each_column, Axes::each_row_and_column};
  std::vector<Shape> shapes = ragged_shapes();
  for (const Shape& shape : {Shape{4099, 3},
                             {3, 4099},
                             {2, 100, 129},
                             {3, 5, 70, 8},
                             {1, 1000},
                             {1000, 1},
                             {33, 31},
                             {5, 3, 17},
                             {64, 3, 7, 5},
                             {3, 1024},
                             {2, 20000}}) {
    shapes.push_back(shape);
  }
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Axes axes : kAxes) {
      for (const Shape& shape : shapes) {
        if (axes == Axes::each_row_and_column && shape.rank() < 2) {
          continue;
        }
        const float scale = shape.count() % 2 == 0 ? 1.0F : -0.3F;
        cases.push_back(reduce_case({axes, scale}, shape, dtype, normal()));
        cases.push_back(broadcast_case({axes, scale}, shape, dtype));
      }
      cases.push_back(reduce_case({axes, 1.0F / 64}, {64, 33}, dtype, uniform(0, 1), "mean_"));
    }
    for (const Axes axes : kAxes) {
      for (const Shape& shape : {Shape{3, 1024}, {1000, 17}, {20011}, {7, 2, 143, 10}, {5, 28, 28, 1}}) {
        if (axes == Axes::each_row_and_column && shape.rank() < 2) {
          continue;
        }
        cases.push_back(unaligned(reduce_case({axes, -0.3F}, shape, dtype, normal())));
        cases.push_back(unaligned(broadcast_case({axes, -0.3F}, shape, dtype)));
      }
    }
    const Shape logits{128, 1}, pictures{64, 28, 28, 1}, activations{128, 28, 28, 64};
    for (OpCase c : {reduce_case({Axes::all, 1.0F / 128}, logits, dtype, normal()),
                     reduce_case({Axes::each_row, 1.0F}, pictures, dtype, normal()),
                     reduce_case({Axes::each_column, 1.0F}, activations, dtype, normal()),
                     reduce_case({Axes::all, 1.0F}, activations, dtype, normal()),
                     reduce_case({Axes::each_row_and_column, 1.0F}, activations, dtype, normal()),
                     broadcast_case({Axes::each_row_and_column, 1.0F}, activations, dtype),
                     broadcast_case({Axes::each_row, 1.0F}, pictures, dtype),
                     broadcast_case({Axes::all, 1.0F}, activations, dtype)}) {
      c.name = "classic_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  for (const Axes axes : kAxes) {
    cases.push_back(cancelling(axes, {1001, 7}));
    cases.push_back(cancelling(axes, {7, 1001}));
  }
  cases.push_back(one_and_many_small(Axes::all, {1 << 17}));
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::reduce_cases
