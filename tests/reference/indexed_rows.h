// Reference of kernels/indexed_rows.h. `row` is the number of elements of one row.
#pragma once

#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array take_rows(int rows, std::int64_t row, const Array& table, const Array& index) {
  Array y;
  for (const double k : index) {
    for (std::int64_t i = 0; i < row; ++i) {
      y.push_back(k >= 0 && k < rows ? table[at(static_cast<std::int64_t>(k) * row + i)] : 0.0);
    }
  }
  return y;
}

inline Array scatter_rows(int rows, std::int64_t row, const Array& dy, const Array& index) {
  Array y(at(rows * row), 0.0);
  for (std::size_t b = 0; b < index.size(); ++b) {
    for (std::int64_t i = 0; i < row && index[b] >= 0 && index[b] < rows; ++i) {
      y[at(static_cast<std::int64_t>(index[b]) * row + i)] += dy[b * at(row) + at(i)];
    }
  }
  return y;
}

}  // namespace duel::test::reference
