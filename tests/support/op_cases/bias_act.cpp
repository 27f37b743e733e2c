// Cases of kernels/bias_act.h.
#include "kernels/bias_act.h"

#include "tests/reference/bias_act.h"
#include "tests/support/op_case.h"

namespace duel::test::bias_act_cases {

namespace {

std::string describe(const Activation& act, const Shape& shape, DType dtype) {
  return fmt::format("{}_{}_{}", name_of(act), name_of_extents(shape), name_of(dtype));
}

OpCase forward_case(const Activation& act, const Shape& shape, DType dtype, bool bias) {
  OpCase c{.op = "bias_act_forward",
           .name = describe(act, shape, dtype) + (bias ? "_bias" : ""),
           .inputs = {{"x", shape, dtype, with_head({0, -0.0, 30, -30, 100, -100}, normal())}},
           .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0}}},
           .run = [=](Context& context, Views in,
                      Views out) { bias_act_forward(context, act, in[0], bias ? in[1] : View{}, out[0]); },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 out[0] = reference::bias_act_forward(act, in[0], bias ? in[1] : Array{}, shape.back());
               },
           .terms = 2};
  if (bias) {
    c.inputs.push_back({"bias", {shape.back()}, DType::f32, normal()});
  }
  return c;
}

// dy and y as they can be: y lies in the range of the activation.
std::vector<Input> backward_inputs(const Activation& act, const Shape& shape, DType dtype) {
  Fill y = with_head({0, -0.0}, normal());
  if (act.kind == ActivationKind::relu) {
    y = [](std::mt19937_64& generator, Array& array) {
      normal()(generator, array);
      for (double& value : array) {
        value = value > 0 ? value : 0;
      }
    };
  } else if (act.kind == ActivationKind::tanh) {
    y = with_head({1, -1, 0}, uniform(-1, 1));
  } else if (act.kind == ActivationKind::sigmoid) {
    y = with_head({0, 1, 0.5}, uniform(0, 1));
  }
  return {{"dy", shape, dtype, normal()}, {"y", shape, dtype, y}};
}

OpCase activation_backward_case(const Activation& act, const Shape& shape, DType dtype) {
  return {
      .op = "activation_backward",
      .name = describe(act, shape, dtype),
      .inputs = backward_inputs(act, shape, dtype),
      .outputs = {{.name = "dx", .shape = shape, .dtype = dtype, .may_be = {0}}},
      .run = [=](Context& context, Views in, Views out) { activation_backward(context, act, in[0], in[1], out[0]); },
      .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::activation_backward(act, in[0], in[1]); }};
}

OpCase bias_backward_case(const Shape& shape, DType dtype) {
  return {.op = "bias_backward",
          .name = fmt::format("{}_{}", name_of_extents(shape), name_of(dtype)),
          .inputs = {{"dy", shape, dtype, normal()}},
          .outputs = {{.name = "db", .shape = {shape.back()}}},
          .run = [](Context& context, Views in, Views out) { bias_backward(context, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::bias_backward(in[0], shape.back()); },
          .terms = shape.outer_count()};
}

OpCase bias_act_backward_case(const Activation& act, const Shape& shape, DType dtype) {
  const std::int64_t rows = shape.outer_count();
  OpCase c{.op = "bias_act_backward",
           .name = describe(act, shape, dtype),
           .inputs = backward_inputs(act, shape, dtype),
           .outputs = {{.name = "dx", .shape = shape, .dtype = dtype, .may_be = {0}},
                       {.name = "db", .shape = {shape.back()}}},
           .run = [=](Context& context, Views in,
                      Views out) { bias_act_backward(context, act, in[0], in[1], out[0], out[1]); },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 out[0] = reference::activation_backward(act, in[0], in[1]);
                 Array stored = out[0];  // what is summed is dx as it is stored
                 for (double& value : stored) {
                   value = rounded(value, dtype);
                 }
                 out[1] = reference::bias_backward(stored, shape.back());
               },
           .terms = rows};
  if (dtype == DType::bf16) {
    // One element of dx whose f32 lies at the middle of two bf16 may fall to the other side: 2^-6, for the largest.
    c.outputs[1].magnitude += 0x1p16 / static_cast<double>(rows);
  }
  return c;
}

std::vector<OpCase> make_cases() {
  const Activation relu{ActivationKind::relu};
  std::vector<Shape> shapes = ragged_shapes();
  // Many rows of few columns and the reverse: where the sums over rows are shared out differently.
  for (const Shape& shape : {Shape{1000, 1},
                             {4099, 3},
                             {1, 4099},
                             {5, 1000},
                             {33, 31},
                             {1000, 17},
                             {5, 14, 14, 32},
                             {60, 300},
                             {64, 512},
                             {70, 131},
                             {100, 1040}}) {
    shapes.push_back(shape);
  }
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    std::size_t turn = 0;
    const std::vector<Activation> activations = every_activation();
    for (const Shape& shape : shapes) {
      const Activation& act = activations[turn++ % activations.size()];
      cases.push_back(forward_case(act, shape, dtype, true));
      cases.push_back(forward_case(act, shape, dtype, false));
      cases.push_back(activation_backward_case(act, shape, dtype));
      cases.push_back(bias_act_backward_case(act, shape, dtype));
      cases.push_back(bias_backward_case(shape, dtype));
    }
    for (const Activation& act : activations) {
      const Shape shape{5, 6, 7, 19};
      cases.push_back(forward_case(act, shape, dtype, true));
      cases.push_back(forward_case(act, shape, dtype, false));
      cases.push_back(activation_backward_case(act, shape, dtype));
      cases.push_back(bias_act_backward_case(act, shape, dtype));
    }
    for (const Shape& shape : {Shape{1000, 17}, {130, 32}, {70, 140}}) {
      cases.push_back(unaligned(forward_case(relu, shape, dtype, true)));
      cases.push_back(unaligned(forward_case(relu, shape, dtype, false)));
      cases.push_back(unaligned(activation_backward_case(relu, shape, dtype)));
      cases.push_back(unaligned(bias_act_backward_case(relu, shape, dtype)));
      cases.push_back(unaligned(bias_backward_case(shape, dtype)));
    }
    const Shape classic{128, 28, 28, 64};  // behind the second convolution of the preset `classic`
    for (OpCase c : {forward_case(relu, classic, dtype, true), activation_backward_case(relu, classic, dtype),
                     bias_act_backward_case(relu, classic, dtype), bias_backward_case(classic, dtype)}) {
      c.name = "classic_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::bias_act_cases
