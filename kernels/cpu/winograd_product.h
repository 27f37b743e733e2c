// The matrix products between Winograd's transforms: many small ones, all operands in the first two caches.
//
// A block of rows x vectors of the result stays in registers while the inner extent is walked: one broadcast of `a` for
// each row and one vector of `b` for each column a step. 6 x 4 vectors fit the 32 registers of AVX-512, 4 x 2 the 16 of
// AVX2.
#pragma once

#include "kernels/cpu/winograd_tiles.h"

namespace duel::winograd {

inline constexpr int kBlockRows = kLanes == 16 ? 6 : 4;
inline constexpr int kBlockVectors = kLanes == 16 ? 4 : 2;

struct Operand {
  const float* data;
  std::int64_t row, step;  // from a row of the result to the next, and along the inner extent
};

// d[Rows, Vectors * kLanes] = a b, or d += a b; rows of b are `columns` apart, as those of d.
template <int Rows, int Vectors, bool Add>
void multiply_block(Operand a, const float* b, int steps, std::int64_t columns, float* d) {
  Vec sums[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int j = 0; j < Vectors; ++j) {
      sums[r][j] = Add ? load(d + r * columns + j * kLanes) : Vec{};
    }
  }
  for (int step = 0; step < steps; ++step) {
    Vec row[Vectors];
    for (int j = 0; j < Vectors; ++j) {
      row[j] = load(b + step * columns + j * kLanes);
    }
    for (int r = 0; r < Rows; ++r) {
      const float factor = a.data[r * a.row + step * a.step];
      for (int j = 0; j < Vectors; ++j) {
        sums[r][j] += factor * row[j];
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int j = 0; j < Vectors; ++j) {
      store(d + r * columns + j * kLanes, sums[r][j]);
    }
  }
}

// All rows of `Vectors` columns of the result.
template <int Vectors, bool Add>
void multiply_columns(Operand a, const float* b, int rows, int steps, std::int64_t columns, float* d) {
  int r = 0;
  for (; r + kBlockRows <= rows; r += kBlockRows) {
    multiply_block<kBlockRows, Vectors, Add>({a.data + r * a.row, a.row, a.step}, b, steps, columns, d + r * columns);
  }
  for (; r + 2 <= rows; r += 2) {
    multiply_block<2, Vectors, Add>({a.data + r * a.row, a.row, a.step}, b, steps, columns, d + r * columns);
  }
  for (; r < rows; ++r) {
    multiply_block<1, Vectors, Add>({a.data + r * a.row, a.row, a.step}, b, steps, columns, d + r * columns);
  }
}

// d[rows, columns] = a[rows, steps] b[steps, columns], or d += a b; `columns` in whole vectors.
template <bool Add>
void multiply(Operand a, const float* b, int rows, int steps, int columns, float* d) {
  int column = 0;
  for (; column + kBlockVectors * kLanes <= columns; column += kBlockVectors * kLanes) {
    multiply_columns<kBlockVectors, Add>(a, b + column, rows, steps, columns, d + column);
  }
  for (; column + 2 * kLanes <= columns; column += 2 * kLanes) {
    multiply_columns<2, Add>(a, b + column, rows, steps, columns, d + column);
  }
  for (; column < columns; column += kLanes) {
    multiply_columns<1, Add>(a, b + column, rows, steps, columns, d + column);
  }
}

}  // namespace duel::winograd
