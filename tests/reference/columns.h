// Reference of kernels/columns.h. `x_columns` and the like are the last extents.
#pragma once

#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array concat_columns(int a_columns, int b_columns, const Array& a, const Array& b) {
  const std::size_t left = at(a_columns), right = at(b_columns), rows = a.size() / left;
  Array y(rows * (left + right));
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < left + right; ++c) {
      y[r * (left + right) + c] = c < left ? a[r * left + c] : b[r * right + c - left];
    }
  }
  return y;
}

inline Array slice_columns(int begin, int x_columns, int y_columns, const Array& x) {
  const std::size_t rows = x.size() / at(x_columns);
  Array y(rows * at(y_columns));
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < at(y_columns); ++c) {
      y[r * at(y_columns) + c] = x[r * at(x_columns) + at(begin) + c];
    }
  }
  return y;
}

inline Array pad_columns(int begin, int x_columns, int y_columns, const Array& x) {
  const std::size_t rows = x.size() / at(x_columns);
  Array y(rows * at(y_columns), 0.0);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < at(x_columns); ++c) {
      y[r * at(y_columns) + at(begin) + c] = x[r * at(x_columns) + c];
    }
  }
  return y;
}

}  // namespace duel::test::reference
