// Cases of kernels/pad2d.h.
#include "kernels/pad2d.h"

#include "tests/reference/pad2d.h"
#include "tests/support/op_case.h"

namespace duel::test::pad2d_cases {

namespace {

std::string describe(const Pad2d& p, const Shape& x, DType dtype) {
  return fmt::format("{}_{}_{}_{}_{}_of_{}_{}", name_of(p.kind), p.top, p.left, p.bottom, p.right, name_of_extents(x),
                     name_of(dtype));
}

OpCase forward_case(const Pad2d& p, const Shape& x, DType dtype) {
  return {.op = "pad2d",
          .name = describe(p, x, dtype),
          .inputs = {{"x", x, dtype, normal()}},
          .outputs = {{.name = "y", .shape = pad2d_output(p, x), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { pad2d(context, p, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::pad2d(p, x, in[0]); },
          .terms = 0};
}

OpCase backward_case(const Pad2d& p, const Shape& x, DType dtype) {
  return {.op = "pad2d_backward",
          .name = describe(p, x, dtype),
          .inputs = {{"dy", pad2d_output(p, x), dtype, normal()}},
          .outputs = {{.name = "dx", .shape = x, .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { pad2d_backward(context, p, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::pad2d_backward(p, x, in[0]); },
          .terms = std::int64_t{p.top + p.bottom + 1} * (p.left + p.right + 1)};
}

std::vector<OpCase> make_cases() {
  struct Problem {
    Pad2d p;
    Shape x;
  };
  constexpr PadKind kEdge = PadKind::edge, kReflect = PadKind::reflect;
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const auto& [p, x] : {Problem{{kEdge, 1, 1, 1, 1}, {2, 5, 7, 3}},
                               {{kEdge, 2, 0, 3, 5}, {1, 1, 1, 1}},
                               {{kEdge, 0, 4, 1, 0}, {2, 3, 1, 33}},
                               {{kReflect, 1, 1, 1, 1}, {2, 5, 7, 3}},
                               {{kReflect, 2, 3, 2, 3}, {1, 3, 4, 5}},  // the whole picture but one row and column
                               {{kReflect, 0, 1, 2, 0}, {2, 3, 5, 16}},
                               {{kReflect, 3, 3, 3, 3}, {1, 9, 11, 1}},
                               {{kReflect, 0, 0, 0, 0}, {3, 1, 1, 7}}}) {
      cases.push_back(forward_case(p, x, dtype));
      cases.push_back(backward_case(p, x, dtype));
    }
    cases.push_back(unaligned(forward_case({kReflect, 1, 1, 1, 1}, {2, 5, 7, 4}, dtype)));
    const Pad2d three{kReflect, 3, 3, 3, 3};  // as networks of 7x7 filters have it
    for (OpCase c : {forward_case(three, {8, 64, 64, 16}, dtype), backward_case(three, {8, 64, 64, 16}, dtype)}) {
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::pad2d_cases
