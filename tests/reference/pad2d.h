// Reference of kernels/pad2d.h.
#pragma once

#include "kernels/pad2d.h"
#include "tests/reference/array.h"

#include <algorithm>

namespace duel::test::reference {

// The place in x [N,H,W,C] that an element of y takes.
inline std::size_t pad2d_source(const Pad2d& p, const Shape& x, std::int64_t element) {
  const Shape y = pad2d_output(p, x);
  const auto source = [&](std::int64_t i, std::int64_t extent) {
    if (p.kind == PadKind::edge) {
      return std::clamp<std::int64_t>(i, 0, extent - 1);
    }
    return i < 0 ? -i : i >= extent ? 2 * (extent - 1) - i : i;
  };
  const std::int64_t c = element % y[3], w = element / y[3] % y[2], h = element / y[3] / y[2] % y[1],
                     n = element / y.row_count();
  return at(((n * x[1] + source(h - p.top, x[1])) * x[2] + source(w - p.left, x[2])) * x[3] + c);
}

inline Array pad2d(const Pad2d& p, const Shape& shape, const Array& x) {
  Array y(at(pad2d_output(p, shape).count()));
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = x[pad2d_source(p, shape, static_cast<std::int64_t>(i))];
  }
  return y;
}

inline Array pad2d_backward(const Pad2d& p, const Shape& shape, const Array& dy) {
  Array dx(at(shape.count()), 0.0);
  for (std::size_t i = 0; i < dy.size(); ++i) {
    dx[pad2d_source(p, shape, static_cast<std::int64_t>(i))] += dy[i];
  }
  return dx;
}

}  // namespace duel::test::reference
