#include "kernels/matmul.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(prepare_matmul, const Matmul&, View a, View b, View bias, View y);
DUEL_BACKENDS(matmul, const Matmul&, View a, View b, View bias, View y);

namespace {

struct Extents {
  std::int64_t rows, columns;
};

// An array as a matrix: a higher rank keeps its first extent as rows, unless only its last extent can be columns.
// Filters and activations [N,H,W,C] meet a dense layer as [N, H*W*C].
Extents as_matrix(const Shape& shape) {
  return {shape[0], shape.row_count()};
}

void check_matmul(const Matmul& matmul, View a, View b, View bias, View y) {
  check_float("matmul", "a", a);
  check_float("matmul", "b", b);
  check_float("matmul", "y", y);
  check(a.shape.rank() >= 2 && b.shape.rank() >= 2, "matmul: a is {} and b is {}, but both must have rank 2 or more", a,
        b);
  check(a.dtype == b.dtype, "matmul: a is {} and b is {}, but both must have one type", a, b);
  const Extents am = as_matrix(a.shape), bm = as_matrix(b.shape), ym = as_matrix(y.shape);
  const std::int64_t m = matmul.transpose_a ? am.columns : am.rows, ka = matmul.transpose_a ? am.rows : am.columns;
  const std::int64_t n = matmul.transpose_b ? bm.rows : bm.columns, kb = matmul.transpose_b ? bm.columns : bm.rows;
  check(ka == kb, "matmul: a is {}{} and b is {}{}, so one has inner extent {} and the other {}", a,
        matmul.transpose_a ? " transposed" : "", b, matmul.transpose_b ? " transposed" : "", ka, kb);
  check(ym.rows == m && ym.columns == n, "matmul: y is {}, but a {} times b {} is [{},{}]", y, a, b, m, n);
  check(!is_present(bias) || (bias.dtype == DType::f32 && bias.count() == n), "matmul: bias is {}, but must be f32[{}]",
        bias, n);
}

}  // namespace

void prepare_matmul(Context& context, const Matmul& p, View a, View b, View bias, View y) {
  check_matmul(p, a, b, bias, y);
  context.run([&](auto& backend) { prepare_matmul(backend, p, a, b, bias, y); });
}

void matmul(Context& context, const Matmul& p, View a, View b, View bias, View y) {
  check_matmul(p, a, b, bias, y);
  context.run([&](auto& backend) { matmul(backend, p, a, b, bias, y); });
}

Shape matmul_output(const Matmul& p, const Shape& a, const Shape& b) {
  const Extents am = as_matrix(a), bm = as_matrix(b);
  return {static_cast<int>(p.transpose_a ? am.columns : am.rows),
          static_cast<int>(p.transpose_b ? bm.rows : bm.columns)};
}

Cost matmul_cost(const Matmul& p, View a, View b, View bias, View y) {
  const Extents am = as_matrix(a.shape);
  const double inner = static_cast<double>(p.transpose_a ? am.rows : am.columns);
  return {2.0 * static_cast<double>(y.count()) * inner,
          bytes_of({a, b, y}) + (is_present(bias) ? bytes_of({bias}) : 0)};
}

}  // namespace duel
