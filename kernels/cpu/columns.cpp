#include "kernels/columns.h"

#include "kernels/cpu/parallel.h"

#include <cstring>

namespace duel {

namespace {

std::size_t row_bytes(View view) {
  return static_cast<std::size_t>(view.shape.back()) * size_of(view.dtype);
}

// Calls move(row) for each row of y.
template <class Move>
void move_rows(CpuContext& context, View y, const Move& move) {
  const std::int64_t grain = std::max<std::int64_t>(1, 4 * kPointwiseGrain / y.shape.back());
  parallel_ranges(context, y.shape.outer_count(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      move(static_cast<std::size_t>(row));
    }
  });
}

}  // namespace

void concat_columns(CpuContext& context, View a, View b, View y) {
  const std::size_t a_bytes = row_bytes(a), b_bytes = row_bytes(b);
  const auto *left = a.as<const std::byte>(), *right = b.as<const std::byte>();
  auto* to = y.as<std::byte>();
  move_rows(context, y, [=](std::size_t row) {
    std::byte* const target = to + row * (a_bytes + b_bytes);
    std::memcpy(target, left + row * a_bytes, a_bytes);
    std::memcpy(target + a_bytes, right + row * b_bytes, b_bytes);
  });
}

void slice_columns(CpuContext& context, int begin, View x, View y) {
  const std::size_t x_bytes = row_bytes(x), y_bytes = row_bytes(y);
  const auto* from = x.as<const std::byte>() + static_cast<std::size_t>(begin) * size_of(x.dtype);
  auto* to = y.as<std::byte>();
  move_rows(context, y, [=](std::size_t row) { std::memcpy(to + row * y_bytes, from + row * x_bytes, y_bytes); });
}

void pad_columns(CpuContext& context, int begin, View x, View y) {
  const std::size_t x_bytes = row_bytes(x), y_bytes = row_bytes(y);
  const std::size_t before = static_cast<std::size_t>(begin) * size_of(x.dtype), after = before + x_bytes;
  const auto* from = x.as<const std::byte>();
  auto* to = y.as<std::byte>();
  move_rows(context, y, [=](std::size_t row) {
    std::byte* const target = to + row * y_bytes;
    std::memset(target, 0, before);
    std::memcpy(target + before, from + row * x_bytes, x_bytes);
    std::memset(target + after, 0, y_bytes - after);
  });
}

}  // namespace duel
