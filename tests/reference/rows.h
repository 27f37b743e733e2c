// Reference of kernels/rows.h. `row` is the number of elements of one row.
#pragma once

#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array concat_rows(const Array& a, const Array& b) {
  Array y = a;
  y.insert(y.end(), b.begin(), b.end());
  return y;
}

inline Array slice_rows(int begin, int rows, std::int64_t row, const Array& x) {
  Array y(at(rows * row));
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = x[at(begin * row) + i];
  }
  return y;
}

inline Array pad_rows(int begin, int rows, std::int64_t row, const Array& x) {
  Array y(at(rows * row), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[at(begin * row) + i] = x[i];
  }
  return y;
}

}  // namespace duel::test::reference
