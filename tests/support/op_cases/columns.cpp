// Cases of kernels/columns.h.
#include "kernels/columns.h"

#include "tests/reference/columns.h"
#include "tests/support/op_case.h"

namespace duel::test::columns_cases {

namespace {

OpCase concat_case(const Shape& a, int columns_of_b, DType dtype) {
  const Shape b = a.with_columns(columns_of_b);
  return {.op = "concat_columns",
          .name = fmt::format("{}_and_{}_{}", name_of_extents(a), columns_of_b, name_of(dtype)),
          .inputs = {{"a", a, dtype, normal()}, {"b", b, dtype, normal()}},
          .outputs = {{.name = "y", .shape = a.with_columns(a.back() + columns_of_b), .dtype = dtype}},
          .run = [](Context& context, Views in, Views out) { concat_columns(context, in[0], in[1], out[0]); },
          .reference = [=](const Arrays& in,
                           Arrays& out) { out[0] = reference::concat_columns(a.back(), columns_of_b, in[0], in[1]); },
          .terms = 0};
}

OpCase slice_case(const Shape& x, int begin, int columns, DType dtype) {
  return {.op = "slice_columns",
          .name = fmt::format("{}_from_{}_take_{}_{}", name_of_extents(x), begin, columns, name_of(dtype)),
          .inputs = {{"x", x, dtype, normal()}},
          .outputs = {{.name = "y", .shape = x.with_columns(columns), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { slice_columns(context, begin, in[0], out[0]); },
          .reference = [=](const Arrays& in,
                           Arrays& out) { out[0] = reference::slice_columns(begin, x.back(), columns, in[0]); },
          .terms = 0};
}

OpCase pad_case(const Shape& x, int begin, int columns, DType dtype) {
  return {.op = "pad_columns",
          .name = fmt::format("{}_at_{}_of_{}_{}", name_of_extents(x), begin, columns, name_of(dtype)),
          .inputs = {{"x", x, dtype, normal()}},
          .outputs = {{.name = "y", .shape = x.with_columns(columns), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { pad_columns(context, begin, in[0], out[0]); },
          .reference = [=](const Arrays& in,
                           Arrays& out) { out[0] = reference::pad_columns(begin, x.back(), columns, in[0]); },
          .terms = 0};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape :
         {Shape{1}, {7}, {1, 1}, {5, 33}, {33, 5}, {1000, 3}, {5, 7, 9, 3}, {3, 5, 7}, {7, 16}, {2, 3, 5, 64}}) {
      const int columns = shape.back(), part = (columns + 2) / 3;
      cases.push_back(concat_case(shape, 1, dtype));
      cases.push_back(concat_case(shape, 5, dtype));
      cases.push_back(concat_case(shape, 16, dtype));
      // The whole, and the first, the last, and some columns in the middle.
      cases.push_back(slice_case(shape, 0, columns, dtype));
      cases.push_back(pad_case(shape, 0, columns, dtype));
      if (columns > 1) {
        cases.push_back(slice_case(shape, 0, part, dtype));
        cases.push_back(slice_case(shape, columns - 1, 1, dtype));
        cases.push_back(slice_case(shape, 1, part, dtype));
      }
      cases.push_back(pad_case(shape, 0, columns + 3, dtype));
      cases.push_back(pad_case(shape, 3, columns + 3, dtype));
      cases.push_back(pad_case(shape, 1, columns + 8, dtype));
      cases.push_back(pad_case(shape, 8, columns + 16, dtype));
    }
    const Shape even{5, 1000};
    for (const OpCase& c :
         {concat_case(even, 24, dtype), slice_case(even, 8, 16, dtype), pad_case(even, 8, 1024, dtype)}) {
      cases.push_back(c);
      cases.push_back(unaligned(c));
    }
    const Shape latents{64, 64}, channels{64, 14, 14, 64}, both{64, 14, 14, 128};
    for (OpCase c : {concat_case(latents, 64, dtype), concat_case(channels, 64, dtype), slice_case(both, 64, 64, dtype),
                     pad_case(channels, 64, 128, dtype)}) {
      c.name = "conv_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::columns_cases
