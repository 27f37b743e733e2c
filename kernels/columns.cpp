#include "kernels/columns.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(concat_columns, View a, View b, View y);
DUEL_BACKENDS(slice_columns, int begin, View x, View y);
DUEL_BACKENDS(pad_columns, int begin, View x, View y);

namespace {

// `part` lies at column `begin` of `whole`.
void check_part(const char* op, int begin, View part, View whole) {
  check_float(op, "x", part);
  check(is_present(whole) && part.dtype == whole.dtype && part.shape.with_columns(whole.shape.back()) == whole.shape &&
            begin >= 0 && part.shape.back() <= whole.shape.back() - begin,
        "{}: columns {}.. of {} cannot hold {}", op, begin, whole, part);
}

}  // namespace

void concat_columns(Context& context, View a, View b, View y) {
  check_float("concat_columns", "a", a);
  check(is_present(b) && is_present(y) && a.dtype == b.dtype && a.dtype == y.dtype &&
            b.shape.with_columns(a.shape.back()) == a.shape &&
            y.shape == a.shape.with_columns(a.shape.back() + b.shape.back()),
        "concat_columns: a {} beside b {} is not y {}", a, b, y);
  context.run([&](auto& backend) { concat_columns(backend, a, b, y); });
}

void slice_columns(Context& context, int begin, View x, View y) {
  check_part("slice_columns", begin, y, x);
  context.run([&](auto& backend) { slice_columns(backend, begin, x, y); });
}

void pad_columns(Context& context, int begin, View x, View y) {
  check_part("pad_columns", begin, x, y);
  context.run([&](auto& backend) { pad_columns(backend, begin, x, y); });
}

}  // namespace duel
