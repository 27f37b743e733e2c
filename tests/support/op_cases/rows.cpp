// Cases of kernels/rows.h.
#include "kernels/rows.h"

#include "tests/reference/rows.h"
#include "tests/support/op_case.h"

namespace duel::test::rows_cases {

namespace {

OpCase concat_case(const Shape& a, int rows_of_b, DType dtype) {
  const Shape b = a.with_rows(rows_of_b);
  return {.op = "concat_rows",
          .name = fmt::format("{}_and_{}_{}", name_of_extents(a), rows_of_b, name_of(dtype)),
          .inputs = {{"a", a, dtype, normal()}, {"b", b, dtype, normal()}},
          .outputs = {{.name = "y", .shape = a.with_rows(a[0] + rows_of_b), .dtype = dtype}},
          .run = [](Context& context, Views in, Views out) { concat_rows(context, in[0], in[1], out[0]); },
          .reference = [](const Arrays& in, Arrays& out) { out[0] = reference::concat_rows(in[0], in[1]); },
          .terms = 0};
}

OpCase slice_case(const Shape& x, int begin, int rows, DType dtype) {
  return {.op = "slice_rows",
          .name = fmt::format("{}_from_{}_take_{}_{}", name_of_extents(x), begin, rows, name_of(dtype)),
          .inputs = {{"x", x, dtype, normal()}},
          .outputs = {{.name = "y", .shape = x.with_rows(rows), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { slice_rows(context, begin, in[0], out[0]); },
          .reference = [=](const Arrays& in,
                           Arrays& out) { out[0] = reference::slice_rows(begin, rows, x.row_count(), in[0]); },
          .terms = 0};
}

OpCase pad_case(const Shape& x, int begin, int rows, DType dtype) {
  return {.op = "pad_rows",
          .name = fmt::format("{}_at_{}_of_{}_{}", name_of_extents(x), begin, rows, name_of(dtype)),
          .inputs = {{"x", x, dtype, normal()}},
          .outputs = {{.name = "y", .shape = x.with_rows(rows), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { pad_rows(context, begin, in[0], out[0]); },
          .reference = [=](const Arrays& in,
                           Arrays& out) { out[0] = reference::pad_rows(begin, rows, x.row_count(), in[0]); },
          .terms = 0};
}

// Labels of real pictures above those of generated ones.
OpCase concat_labels_case() {
  OpCase c = concat_case({33}, 33, DType::i32);
  for (Input& input : c.inputs) {
    input.fill = integers(-5, 1 << 30);  // an f32 would round them
  }
  return c;
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape : ragged_shapes()) {
      cases.push_back(concat_case(shape, 1, dtype));
      cases.push_back(concat_case(shape, 5, dtype));
      // The whole, and the first, the last, and some rows in the middle.
      const int rows = shape[0], part = (rows + 2) / 3;
      cases.push_back(slice_case(shape, 0, rows, dtype));
      cases.push_back(pad_case(shape, 0, rows, dtype));
      if (rows > 1) {
        cases.push_back(slice_case(shape, 0, part, dtype));
        cases.push_back(slice_case(shape, rows - 1, 1, dtype));
        cases.push_back(slice_case(shape, 1, part, dtype));
      }
      cases.push_back(pad_case(shape, 0, rows + 3, dtype));
      cases.push_back(pad_case(shape, 3, rows + 3, dtype));
      cases.push_back(pad_case(shape, 1, rows + 8, dtype));
    }
    const Shape even{5, 1000};
    for (const OpCase& c : {concat_case(even, 3, dtype), slice_case(even, 1, 3, dtype), pad_case(even, 2, 8, dtype)}) {
      cases.push_back(c);
      cases.push_back(unaligned(c));
    }
    const Shape pictures{64, 28, 28, 1}, both{128, 28, 28, 1};
    for (OpCase c :
         {concat_case(pictures, 64, dtype), slice_case(both, 64, 64, dtype), pad_case(pictures, 64, 128, dtype)}) {
      c.name = "classic_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  cases.push_back(concat_labels_case());
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::rows_cases
