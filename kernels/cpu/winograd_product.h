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

}  // namespace duel::winograd
