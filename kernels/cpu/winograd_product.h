// The matrix products between Winograd's transforms: many small ones, all operands in the first two caches.
#pragma once

#include "kernels/cpu/register_block.h"
#include "kernels/cpu/winograd_tiles.h"

namespace duel::winograd {

using simd::Into, simd::multiply_block, simd::Rows;

// How often `between` is called while a matrix of so many rows and columns is multiplied.
inline int calls_between(int count, int rows, int steps, int columns) {
  const int blocks = (columns + 2 * kLanes - 1) / (2 * kLanes) * (rows / count + rows % count);
  return blocks * ((steps + simd::kStepsBetween - 1) / simd::kStepsBetween);
}

// All rows of `Vectors` columns of the result.
template <int Count, int Vectors, Into To, class Between>
void multiply_columns(Rows a, const float* b, int rows, int steps, std::int64_t columns, float* d, Between& between) {
  int r = 0;
  for (; r + Count <= rows; r += Count) {
    multiply_block<Count, Vectors, To>({a.data + r * a.row, a.row, a.step}, b, columns, steps, d + r * columns, columns,
                                       between);
  }
  for (; r < rows; ++r) {
    multiply_block<1, Vectors, To>({a.data + r * a.row, a.row, a.step}, b, columns, steps, d + r * columns, columns,
                                   between);
  }
}

// d[rows, columns] = or += a[rows, steps] b[steps, columns]; `columns` in whole vectors. Count is how many rows are in
// registers at a time: what is left of a multiple of it takes several times as long.
template <int Count, Into To, class Between>
void multiply(Rows a, const float* b, int rows, int steps, int columns, float* d, Between& between) {
  int column = 0;
  for (; column + 2 * kLanes <= columns; column += 2 * kLanes) {
    multiply_columns<Count, 2, To>(a, b + column, rows, steps, columns, d + column, between);
  }
  for (; column < columns; column += kLanes) {
    multiply_columns<Count, 1, To>(a, b + column, rows, steps, columns, d + column, between);
  }
}

// Transformed filters [rows, columns] lie in panels of two vectors of columns, one panel behind the other, so that what
// is read for a block is one piece of memory. Where element (row, column) is, `column` a multiple of a vector:
inline std::int64_t place_in_panels(std::int64_t row, int column, int rows, int columns) {
  constexpr int kPanel = 2 * kLanes;
  const int first = column / kPanel * kPanel;
  return std::int64_t{first} * rows + row * std::min(kPanel, columns - first) + (column - first);
}

// Fetches the filters that are multiplied next, a panel ahead: they are larger than the second cache.
class PanelsAhead {
public:
  // `filters`: all of them, in the order in which they are read; `calls` of fetch() for each panel of `rows`.
  PanelsAhead(const float* filters, std::int64_t count, int rows, int calls)
      : end_(filters + count),
        next_(filters + std::int64_t{rows} * 2 * kLanes),
        at_once_((rows * 2 * kLanes / kLine + calls - 1) / calls) {
    if (count * static_cast<std::int64_t>(sizeof(float)) <= kHeld) {
      next_ = end_;
    }
  }
  [[gnu::always_inline]] void fetch() {
    for (int i = 0; i < at_once_ && next_ < end_; ++i, next_ += kLine) {
      __builtin_prefetch(next_, 0, 2);
    }
  }

private:
  static constexpr int kLine = simd::kLineBytes / static_cast<int>(sizeof(float));
  static constexpr std::int64_t kHeld = 512 << 10;  // bytes that stay in the second cache beside the tiles
  const float *end_, *next_;
  int at_once_;
};

// multiply() with b in panels.
template <int Count, class Between>
void multiply_panels(Rows a, const float* b, int rows, int steps, int columns, float* d, Between& between) {
  int column = 0;
  const auto multiply_rows = [&](auto count, auto vectors, int r) {
    constexpr int kVectors = decltype(vectors)::value;
    multiply_block<decltype(count)::value, kVectors, Into::overwrite>(
        {a.data + r * a.row, a.row, a.step}, b + std::int64_t{column} * steps, kVectors * kLanes, steps,
        d + std::int64_t{r} * columns + column, columns, between);
  };
  const auto multiply_panel = [&](auto vectors) {
    int r = 0;
    for (; r + Count <= rows; r += Count) {
      multiply_rows(std::integral_constant<int, Count>{}, vectors, r);
    }
    for (; r < rows; ++r) {
      multiply_rows(std::integral_constant<int, 1>{}, vectors, r);
    }
  };
  for (; column + 2 * kLanes <= columns; column += 2 * kLanes) {
    multiply_panel(std::integral_constant<int, 2>{});
  }
  if (column < columns) {
    multiply_panel(std::integral_constant<int, 1>{});
  }
}

}  // namespace duel::winograd
