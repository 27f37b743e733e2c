// Cases of kernels/scale_rows.h.
#include "kernels/scale_rows.h"

#include "tests/reference/scale_rows.h"
#include "tests/support/op_case.h"

namespace duel::test::scale_rows_cases {

namespace {

OpCase scale_case(const Shape& shape, DType dtype, bool has_addend) {
  const int rows = shape[0];
  OpCase c{.op = "scale_rows",
           .name = fmt::format("{}_{}{}", name_of_extents(shape), name_of(dtype), has_addend ? "_and_addend" : ""),
           .inputs = {{"scale", {rows}, DType::f32, normal()}, {"x", shape, dtype, normal()}},
           .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .magnitude = 4, .may_be = {1}}},
           .run = [=](Context& context, Views in,
                      Views out) { scale_rows(context, in[0], in[1], has_addend ? in[2] : View{}, out[0]); },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 out[0] = reference::scale_rows(rows, in[0], in[1], has_addend ? in[2] : reference::Array{});
               },
           .terms = has_addend ? 2 : 1};
  if (has_addend) {
    c.inputs.push_back({"addend", shape, dtype, normal()});
    c.outputs[0].may_be.push_back(2);
  }
  if (shape.row_count() == 1 && dtype == DType::f32 && shape.rank() == 1) {
    c.outputs[0].may_be.push_back(0);
  }
  return c;
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  std::vector<Shape> shapes = ragged_shapes();
  for (const Shape& shape : {Shape{3, 4096}, {1, 5000}, {257, 3}, {7, 2, 5, 16}, {5, 3, 3, 24}, {2, 20001}}) {
    shapes.push_back(shape);
  }
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const bool has_addend : {false, true}) {
      for (const Shape& shape : shapes) {
        cases.push_back(scale_case(shape, dtype, has_addend));
      }
      cases.push_back(unaligned(scale_case({5, 16}, dtype, has_addend)));
      OpCase activations = scale_case({128, 14, 14, 64}, dtype, has_addend);  // a discriminator's, of two batches
      activations.tags = {"perf"};
      cases.push_back(std::move(activations));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::scale_rows_cases
