// Reference of kernels/scale_rows.h. `rows`: N; no addend is an empty array.
#pragma once

#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array scale_rows(int rows, const Array& scale, const Array& x, const Array& addend) {
  const std::size_t length = x.size() / at(rows);
  Array y(x.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = scale[i / length] * x[i] + (addend.empty() ? 0.0 : addend[i]);
  }
  return y;
}

}  // namespace duel::test::reference
