// Reference of kernels/softmax.h, of rows of `columns`.
#pragma once

#include "tests/reference/array.h"

#include <algorithm>
#include <cmath>

namespace duel::test::reference {

inline Array softmax(int columns, const Array& x) {
  Array y(x.size());
  for (std::size_t first = 0; first < x.size(); first += at(columns)) {
    const double largest = *std::max_element(x.begin() + static_cast<std::ptrdiff_t>(first),
                                             x.begin() + static_cast<std::ptrdiff_t>(first + at(columns)));
    double sum = 0;
    for (std::size_t c = 0; c < at(columns); ++c) {
      sum += std::exp(x[first + c] - largest);
    }
    for (std::size_t c = 0; c < at(columns); ++c) {
      y[first + c] = std::exp(x[first + c] - largest) / sum;
    }
  }
  return y;
}

inline Array softmax_backward(int columns, const Array& dy, const Array& y) {
  Array dx(y.size());
  for (std::size_t first = 0; first < y.size(); first += at(columns)) {
    double sum = 0;
    for (std::size_t c = 0; c < at(columns); ++c) {
      sum += dy[first + c] * y[first + c];
    }
    for (std::size_t c = 0; c < at(columns); ++c) {
      dx[first + c] = y[first + c] * (dy[first + c] - sum);
    }
  }
  return dx;
}

}  // namespace duel::test::reference
