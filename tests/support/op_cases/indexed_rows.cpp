// Cases of kernels/indexed_rows.h.
#include "kernels/indexed_rows.h"

#include "tests/reference/indexed_rows.h"
#include "tests/support/op_case.h"

#include <algorithm>
#include <limits>

namespace duel::test::indexed_rows_cases {

namespace {

OpCase take_case(const Shape& table, int batch, DType dtype, const Fill& index, const std::string& prefix = "") {
  const Shape y = table.with_rows(batch);
  return {.op = "take_rows",
          .name = fmt::format("{}{}_take_{}_{}", prefix, name_of_extents(table), batch, name_of(dtype)),
          .inputs = {{"table", table, dtype, normal()}, {"index", {batch}, DType::i32, index}},
          .outputs = {{.name = "y", .shape = y, .dtype = dtype}},
          .run = [](Context& context, Views in, Views out) { take_rows(context, in[0], in[1], out[0]); },
          .reference = [=](const Arrays& in,
                           Arrays& out) { out[0] = reference::take_rows(table[0], table.row_count(), in[0], in[1]); },
          .terms = 0};
}

OpCase scatter_case(const Shape& table, int batch, DType dtype, const Fill& index, const std::string& prefix = "") {
  return {
      .op = "scatter_rows",
      .name = fmt::format("{}{}_into_{}_{}", prefix, batch, name_of_extents(table), name_of(dtype)),
      .inputs = {{"dy", table.with_rows(batch), dtype, normal()}, {"index", {batch}, DType::i32, index}},
      .outputs = {{.name = "y", .shape = table}},
      .run = [](Context& context, Views in, Views out) { scatter_rows(context, in[0], in[1], out[0]); },
      .reference = [=](const Arrays& in,
                       Arrays& out) { out[0] = reference::scatter_rows(table[0], table.row_count(), in[0], in[1]); },
      .terms = batch};
}

std::vector<OpCase> make_cases() {
  constexpr double kLowest = std::numeric_limits<std::int32_t>::min(),
                   kHighest = std::numeric_limits<std::int32_t>::max();
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& table : {Shape{1, 1}, {3, 5}, {7, 1}, {5, 33}, {10, 64}, {33, 7}, {2, 3, 5}, {10, 128}, {3}}) {
      for (const int batch : {1, 5, 33}) {
        const Fill any = integers(0, table[0] - 1);
        cases.push_back(take_case(table, batch, dtype, any));
        cases.push_back(scatter_case(table, batch, dtype, any));
      }
      const double rows = table[0];
      const Fill beside = with_head({-1, rows, kLowest, kHighest, rows - 1, 0}, integers(-2, table[0] + 1));
      cases.push_back(take_case(table, 17, dtype, beside, "beside_"));
      cases.push_back(scatter_case(table, 17, dtype, beside, "beside_"));
      cases.push_back(scatter_case(table, 65, dtype, values({rows - 1}), "all_in_one_"));
    }
    // More than one range of rows on a CPU, and than one turn of the emulated grid.
    cases.push_back(take_case({1000, 17}, 999, dtype, integers(0, 999)));
    cases.push_back(scatter_case({1000, 17}, 333, dtype, integers(0, 999)));
    cases.push_back(scatter_case({3, 5000}, 9, dtype, integers(0, 2)));
    cases.push_back(unaligned(take_case({10, 64}, 33, dtype, integers(0, 9), "one_off_")));
    cases.push_back(unaligned(scatter_case({10, 64}, 33, dtype, integers(0, 9), "one_off_")));
    for (OpCase c :
         {take_case({10, 128}, 128, dtype, integers(0, 9)), scatter_case({10, 128}, 128, dtype, integers(0, 9)),
          take_case({100000, 64}, 4096, dtype, integers(0, 99999)),
          scatter_case({1000, 64}, 4096, dtype, integers(0, 999))}) {
      c.name = "classes_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::indexed_rows_cases
