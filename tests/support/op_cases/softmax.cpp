// Cases of kernels/softmax.h.
#include "kernels/softmax.h"

#include "tests/reference/softmax.h"
#include "tests/support/op_case.h"

namespace duel::test::softmax_cases {

namespace {

OpCase forward_case(const std::string& prefix, const Shape& shape, DType dtype, const Fill& fill) {
  return {.op = "softmax",
          .name = fmt::format("{}{}_{}", prefix, name_of_extents(shape), name_of(dtype)),
          .inputs = {{"x", shape, dtype, fill}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0}}},
          .run = [](Context& context, Views in, Views out) { duel::softmax(context, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::softmax(shape.back(), in[0]); },
          .terms = 8};
}

OpCase backward_case(const Shape& shape, DType dtype) {
  return {.op = "softmax_backward",
          .name = fmt::format("{}_{}", name_of_extents(shape), name_of(dtype)),
          .inputs = {{"dy", shape, dtype, normal()}, {"y", shape, dtype, uniform(0, 2.0 / shape.back())}},
          .outputs = {{.name = "dx", .shape = shape, .dtype = dtype, .may_be = {0, 1}}},
          .run = [](Context& context, Views in, Views out) { duel::softmax_backward(context, in[0], in[1], out[0]); },
          .reference = [=](const Arrays& in,
                           Arrays& out) { out[0] = reference::softmax_backward(shape.back(), in[0], in[1]); },
          .terms = 8};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape : {Shape{1}, {7}, {1, 1}, {3, 1}, {5, 33}, {33, 5}, {3, 5, 7}, {1500, 3}, {3, 1000}}) {
      cases.push_back(forward_case("", shape, dtype, normal(3)));
      cases.push_back(backward_case(shape, dtype));
    }
    // Where exp would overflow, and where all but one vanish.
    cases.push_back(forward_case("large_", {7, 5}, dtype, with_head({100, -100, 300, 1000, -1000}, normal(200))));
    cases.push_back(unaligned(forward_case("", {5, 32}, dtype, normal(3))));
    cases.push_back(unaligned(backward_case({5, 32}, dtype)));
    const Shape attention{64, 1024, 1024};
    for (OpCase c : {forward_case("attention_", attention, dtype, normal()), backward_case(attention, dtype)}) {
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::softmax_cases
