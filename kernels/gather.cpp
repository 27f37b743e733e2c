#include "kernels/gather.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <cstdint>

namespace duel {

DUEL_BACKENDS(gather_rows, const GatherRows& p, View rows, View step, View y);
DUEL_BACKENDS(load_rows, const LoadRows& p, View ring, View step, View y);

namespace {

// What rows of a type become, and that the scale can be computed with.
void check_conversion(const char* op, DType stored, const RowScale& scale, View y) {
  check(stored == DType::u8 || stored == DType::f32 || stored == DType::i32,
        "{}: the rows are {}, but must be u8, f32 or i32", op, name_of(stored));
  if (stored == DType::i32) {
    check(is_present(y) && y.dtype == DType::i32, "{}: y is {}, but must be i32, as the rows are", op, y);
    return;
  }
  check_float(op, "y", y);
  check(scale.divisor > 0, "{}: the divisor is {}, but must be positive", op, scale.divisor);
}

}  // namespace

void gather_rows(Context& context, const GatherRows& p, View rows, View step, View y) {
  check_counter("gather_rows", step);
  check(is_present(rows), "gather_rows: there are no rows");
  check_conversion("gather_rows", rows.dtype, p.scale, y);
  check(y.shape.with_rows(rows.shape[0]) == rows.shape && y.shape[0] <= rows.shape[0],
        "gather_rows: y is {}, but rows is {}; y must be at most as many of the same shape", y, rows);
  context.run([&](auto& backend) { gather_rows(backend, p, rows, step, y); });
}

void load_rows(Context& context, const LoadRows& p, View ring, View step, View y) {
  check_counter("load_rows", step);
  check_conversion("load_rows", p.dtype, p.scale, y);
  check(ring.shape.rank() == 2 && ring.dtype == DType::u8, "load_rows: ring is {}, but must be u8 of rank 2", ring);
  const std::int64_t slot_bytes = ring.shape[1], bytes = y.count() * static_cast<std::int64_t>(size_of(p.dtype));
  check(slot_bytes % kSlotAlignment == 0 && p.offset % kSlotAlignment == 0,
        "load_rows: slots of {} bytes and rows at byte {} must both be multiples of {}", slot_bytes, p.offset,
        kSlotAlignment);
  check(p.offset >= 0 && p.offset <= slot_bytes - bytes,
        "load_rows: {} bytes of {} rows from byte {} on are not in a slot of {} bytes", bytes, name_of(p.dtype),
        p.offset, slot_bytes);
  check(reinterpret_cast<std::uintptr_t>(ring.data) % size_of(p.dtype) == 0,
        "load_rows: the ring is not aligned to rows of {}", name_of(p.dtype));
  context.run([&](auto& backend) { load_rows(backend, p, ring, step, y); });
}

}  // namespace duel
