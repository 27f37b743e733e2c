#include "kernels/indexed_rows.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(take_rows, View table, View index, View y);
DUEL_BACKENDS(scatter_rows, View dy, View index, View y);

namespace {

// `rows` has a row for each number of `index`, of the same length as those of `table`.
void check_rows(const char* op, const char* rows_name, View rows, View index, const char* table_name, View table) {
  check(is_present(index) && index.shape.rank() == 1 && index.dtype == DType::i32,
        "{}: index is {}, but must be i32 of rank 1", op, index);
  check(is_present(rows) && is_present(table) && rows.shape == table.shape.with_rows(index.shape[0]),
        "{}: {} is {}, but must have {} rows, one for each index, as long as those of {} {}", op, rows_name, rows,
        index.shape[0], table_name, table);
}

}  // namespace

void take_rows(Context& context, View table, View index, View y) {
  check_float("take_rows", "table", table);
  check_rows("take_rows", "y", y, index, "table", table);
  check(y.dtype == table.dtype, "take_rows: y is {}, but must have the type of table {}", y, table);
  context.run([&](auto& backend) { take_rows(backend, table, index, y); });
}

void scatter_rows(Context& context, View dy, View index, View y) {
  check_float("scatter_rows", "dy", dy);
  check_rows("scatter_rows", "dy", dy, index, "y", y);
  check(y.dtype == DType::f32, "scatter_rows: y is {}, but must be f32", y);
  context.run([&](auto& backend) { scatter_rows(backend, dy, index, y); });
}

}  // namespace duel
