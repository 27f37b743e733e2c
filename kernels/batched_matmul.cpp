#include "kernels/batched_matmul.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(prepare_batched_matmul, const BatchedMatmul&, View a, View b, View y);
DUEL_BACKENDS(batched_matmul, const BatchedMatmul&, View a, View b, View y);

namespace {

void check_batched(const BatchedMatmul& p, View a, View b, View y) {
  check_float("batched_matmul", "a", a);
  check_float("batched_matmul", "b", b);
  check_float("batched_matmul", "y", y);
  check(a.shape.rank() == 3 && b.shape.rank() == 3 && a.shape[0] == b.shape[0],
        "batched_matmul: a is {} and b is {}, but both must be batches of as many matrices", a, b);
  check(a.dtype == b.dtype, "batched_matmul: a is {} and b is {}, but both must have one type", a, b);
  const int ka = a.shape[p.transpose_a ? 1 : 2], kb = b.shape[p.transpose_b ? 2 : 1];
  check(ka == kb, "batched_matmul: a is {}{} and b is {}{}, so one has inner extent {} and the other {}", a,
        p.transpose_a ? " transposed" : "", b, p.transpose_b ? " transposed" : "", ka, kb);
  check(y.shape == batched_matmul_output(p, a.shape, b.shape), "batched_matmul: y is {}, but a {} times b {} is {}", y,
        a, b, batched_matmul_output(p, a.shape, b.shape));
}

}  // namespace

void prepare_batched_matmul(Context& context, const BatchedMatmul& p, View a, View b, View y) {
  check_batched(p, a, b, y);
  context.run([&](auto& backend) { prepare_batched_matmul(backend, p, a, b, y); });
}

void batched_matmul(Context& context, const BatchedMatmul& p, View a, View b, View y) {
  check_batched(p, a, b, y);
  context.run([&](auto& backend) { batched_matmul(backend, p, a, b, y); });
}

Shape batched_matmul_output(const BatchedMatmul& p, const Shape& a, const Shape& b) {
  return {a[0], a[p.transpose_a ? 2 : 1], b[p.transpose_b ? 1 : 2]};
}

Cost batched_matmul_cost(const BatchedMatmul& p, View a, View b, View y) {
  return {2.0 * static_cast<double>(y.count()) * a.shape[p.transpose_a ? 1 : 2], bytes_of({a, b, y})};
}

}  // namespace duel
