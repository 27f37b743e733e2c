// The matrix products between Winograd's transforms: many small ones, all operands in the first two caches.
#pragma once

#include "kernels/cpu/register_block.h"
#include "kernels/cpu/winograd_tiles.h"

namespace duel::winograd {

using simd::Into, simd::multiply_block, simd::Rows;

struct Nothing {
  void operator()() const {}
};

// All rows of `Vectors` columns of the result.
template <int Count, int Vectors, Into To>
void multiply_columns(Rows a, const float* b, int rows, int steps, std::int64_t columns, float* d) {
  int r = 0;
  Nothing nothing;
  for (; r + Count <= rows; r += Count) {
    multiply_block<Count, Vectors, To>({a.data + r * a.row, a.row, a.step}, b, columns, steps, d + r * columns, columns,
                                       nothing);
  }
  for (; r < rows; ++r) {
    multiply_block<1, Vectors, To>({a.data + r * a.row, a.row, a.step}, b, columns, steps, d + r * columns, columns,
                                   nothing);
  }
}

// d[rows, columns] = or += a[rows, steps] b[steps, columns]; `columns` in whole vectors. Count is how many rows are in
// registers at a time: what is left of a multiple of it takes several times as long.
template <int Count, Into To>
void multiply(Rows a, const float* b, int rows, int steps, int columns, float* d) {
  int column = 0;
  for (; column + 2 * kLanes <= columns; column += 2 * kLanes) {
    multiply_columns<Count, 2, To>(a, b + column, rows, steps, columns, d + column);
  }
  for (; column < columns; column += kLanes) {
    multiply_columns<Count, 1, To>(a, b + column, rows, steps, columns, d + column);
  }
}

}  // namespace duel::winograd
