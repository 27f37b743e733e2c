#include "kernels/permute.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <algorithm>
#include <limits>

namespace duel {

DUEL_BACKENDS(permute, const Permute&, View x, View y);

namespace {

void check_order(const Permute& p) {
  std::array<int, 4> sorted = p.order;
  std::sort(sorted.begin(), sorted.end());
  check(sorted == std::array<int, 4>{0, 1, 2, 3},
        "permute: the order is {},{},{},{}, but must have each of 0 to 3 once", p.order[0], p.order[1], p.order[2],
        p.order[3]);
}

}  // namespace

Shape permute_output(const Permute& p, const Shape& x) {
  check_order(p);
  check(x.rank() == 4, "permute: x is {}, but must have four extents", x);
  return {x[p.order[0]], x[p.order[1]], x[p.order[2]], x[p.order[3]]};
}

Permute inverse(const Permute& p) {
  check_order(p);
  Permute back;
  for (int axis = 0; axis < 4; ++axis) {
    back.order[static_cast<std::size_t>(p.order[static_cast<std::size_t>(axis)])] = axis;
  }
  return back;
}

void permute(Context& context, const Permute& p, View x, View y) {
  check_float("permute", "x", x);
  const Shape expected = permute_output(p, x.shape);
  check(y.shape == expected && y.dtype == x.dtype, "permute: y is {}, but {} in the order {},{},{},{} is {}", y, x,
        p.order[0], p.order[1], p.order[2], p.order[3], View{nullptr, expected, x.dtype});
  check(x.count() <= std::numeric_limits<int>::max(), "permute: x is {}, but must have fewer than 2^31 elements", x);
  context.run([&](auto& backend) { permute(backend, p, x, y); });
}

}  // namespace duel
