// Reference of kernels/gate.h. `half`: the columns of y.
#pragma once

#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array gate(int half, const Array& x) {
  Array y(x.size() / 2);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t first = i / at(half) * at(2 * half) + i % at(half);
    y[i] = x[first] * x[first + at(half)];
  }
  return y;
}

inline Array gate_backward(int half, const Array& dy, const Array& x) {
  Array dx(x.size());
  for (std::size_t i = 0; i < dy.size(); ++i) {
    const std::size_t first = i / at(half) * at(2 * half) + i % at(half);
    dx[first] = dy[i] * x[first + at(half)];
    dx[first + at(half)] = dy[i] * x[first];
  }
  return dx;
}

}  // namespace duel::test::reference
