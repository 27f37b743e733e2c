// Cases of kernels/gate.h.
#include "kernels/gate.h"

#include "tests/reference/gate.h"
#include "tests/support/op_case.h"

namespace duel::test::gate_cases {

namespace {

OpCase forward_case(const Shape& y, DType dtype) {
  const Shape x = y.with_columns(2 * y.back());
  return {.op = "gate",
          .name = fmt::format("{}_{}", name_of_extents(y), name_of(dtype)),
          .inputs = {{"x", x, dtype, normal()}},
          .outputs = {{.name = "y", .shape = y, .dtype = dtype}},
          .run = [](Context& context, Views in, Views out) { gate(context, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::gate(y.back(), in[0]); }};
}

OpCase backward_case(const Shape& y, DType dtype) {
  const Shape x = y.with_columns(2 * y.back());
  return {
      .op = "gate_backward",
      .name = fmt::format("{}_{}", name_of_extents(y), name_of(dtype)),
      .inputs = {{"dy", y, dtype, normal()}, {"x", x, dtype, normal()}},
      .outputs = {{.name = "dx", .shape = x, .dtype = dtype}},
      .run = [](Context& context, Views in, Views out) { gate_backward(context, in[0], in[1], out[0]); },
      .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::gate_backward(y.back(), in[0], in[1]); }};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& y : {Shape{1}, {7}, {33, 1}, {5, 33}, {3, 5, 7, 3}, {101, 16}, {2, 3, 5, 24}, {3, 64}}) {
      cases.push_back(forward_case(y, dtype));
      cases.push_back(backward_case(y, dtype));
    }
    cases.push_back(unaligned(forward_case({5, 16}, dtype)));
    cases.push_back(unaligned(backward_case({5, 16}, dtype)));
    const Shape level{16, 64, 64, 16};  // the first of a restoration network
    for (OpCase c : {forward_case(level, dtype), backward_case(level, dtype)}) {
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::gate_cases
