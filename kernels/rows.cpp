#include "kernels/rows.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(concat_rows, View a, View b, View y);
DUEL_BACKENDS(slice_rows, int begin, View x, View y);
DUEL_BACKENDS(pad_rows, int begin, View x, View y);

namespace {

void check_movable(const char* op, const char* name, View view) {
  const bool is_movable = view.dtype == DType::f32 || view.dtype == DType::bf16 || view.dtype == DType::i32;
  check(is_present(view) && is_movable, "{}: {} is {}, but must be f32, bf16 or i32", op, name, view);
}

// `part` lies at row `begin` of `whole`.
void check_part(const char* op, int begin, View part, View whole) {
  check_movable(op, "x", part);
  check(part.dtype == whole.dtype && part.shape.with_rows(whole.shape[0]) == whole.shape && begin >= 0 &&
            part.shape[0] <= whole.shape[0] - begin,
        "{}: rows {}.. of {} cannot hold {}", op, begin, whole, part);
}

}  // namespace

void concat_rows(Context& context, View a, View b, View y) {
  check_movable("concat_rows", "a", a);
  check(is_present(b) && is_present(y) && a.dtype == b.dtype && a.dtype == y.dtype &&
            b.shape.with_rows(a.shape[0]) == a.shape && y.shape == a.shape.with_rows(a.shape[0] + b.shape[0]),
        "concat_rows: a {} above b {} is not y {}", a, b, y);
  context.run([&](auto& backend) { concat_rows(backend, a, b, y); });
}

void slice_rows(Context& context, int begin, View x, View y) {
  check_part("slice_rows", begin, y, x);
  context.run([&](auto& backend) { slice_rows(backend, begin, x, y); });
}

void pad_rows(Context& context, int begin, View x, View y) {
  check_part("pad_rows", begin, x, y);
  context.run([&](auto& backend) { pad_rows(backend, begin, x, y); });
}

}  // namespace duel
