// Reference of kernels/permute.h.
#pragma once

#include "kernels/permute.h"
#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array permute(const Permute& p, const Shape& shape, const Array& x) {
  Array y;
  const auto axis_of_y = [&](int axis_of_x) {
    int axis = 0;
    while (p.order[at(axis)] != axis_of_x) {
      ++axis;
    }
    return at(axis);
  };
  std::array<int, 4> i{};
  const auto extent = [&](int axis) { return shape[p.order[at(axis)]]; };
  for (i[0] = 0; i[0] < extent(0); ++i[0]) {
    for (i[1] = 0; i[1] < extent(1); ++i[1]) {
      for (i[2] = 0; i[2] < extent(2); ++i[2]) {
        for (i[3] = 0; i[3] < extent(3); ++i[3]) {
          std::int64_t from = 0;
          for (int axis = 0; axis < 4; ++axis) {
            from = from * shape[axis] + i[axis_of_y(axis)];
          }
          y.push_back(x[at(from)]);
        }
      }
    }
  }
  return y;
}

}  // namespace duel::test::reference
