// Reference of kernels/matmul.h: a is [m,k], or [k,m] where it is transposed; b is [k,n] or [n,k]; y is [m,n].
#pragma once

#include "kernels/matmul.h"
#include "tests/reference/bias_act.h"

namespace duel::test::reference {

inline Array matmul(const Matmul& p, std::int64_t m, std::int64_t n, std::int64_t k, const Array& a, const Array& b,
                    const Array& bias) {
  Array y(at(m * n));
  for (std::int64_t row = 0; row < m; ++row) {
    for (std::int64_t column = 0; column < n; ++column) {
      double sum = bias.empty() ? 0 : bias[at(column)];
      for (std::int64_t i = 0; i < k; ++i) {
        const double left = p.transpose_a ? a[at(i * m + row)] : a[at(row * k + i)];
        const double right = p.transpose_b ? b[at(column * k + i)] : b[at(i * n + column)];
        sum += left * right;
      }
      y[at(row * n + column)] = activate(p.activation, sum);
    }
  }
  return y;
}

}  // namespace duel::test::reference
