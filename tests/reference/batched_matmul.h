// Reference of kernels/batched_matmul.h: the arrays of `batch` products, one behind the other.
#pragma once

#include "kernels/batched_matmul.h"
#include "tests/reference/matmul.h"

namespace duel::test::reference {

inline Array batched_matmul(const BatchedMatmul& p, int batch, std::int64_t m, std::int64_t n, std::int64_t k,
                            const Array& a, const Array& b) {
  const auto part = [](const Array& all, std::int64_t first, std::int64_t count) {
    return Array(all.begin() + first, all.begin() + first + count);
  };
  Array y;
  for (int i = 0; i < batch; ++i) {
    const Array one =
        matmul({p.transpose_a, p.transpose_b, {}}, m, n, k, part(a, i * m * k, m * k), part(b, i * k * n, k * n), {});
    y.insert(y.end(), one.begin(), one.end());
  }
  return y;
}

}  // namespace duel::test::reference
