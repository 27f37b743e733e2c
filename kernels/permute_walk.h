// How an array is read in the order of its permutation (permute.h), with axes that stay neighbours taken as one: so the
// last one is as long as what lies together in both.
#pragma once

#include "kernels/permute.h"

#include <cstddef>
#include <cstdint>

namespace duel {

struct PermuteWalk {
  std::array<int, 4> extents = {1, 1, 1, 1};         // of y, those that have no axis of their own first
  std::array<std::int64_t, 4> steps = {0, 0, 0, 0};  // in x, to the next along each of them

  bool is_last_contiguous() const { return steps[3] == 1; }
};

inline PermuteWalk walk_of(const Permute& p, const Shape& x) {
  std::array<std::int64_t, 4> step_of_x{};
  std::int64_t step = 1;
  for (std::size_t axis = 4; axis-- > 0; step *= x[static_cast<int>(axis)]) {
    step_of_x[axis] = step;
  }
  PermuteWalk walk;
  std::size_t place = 4;  // the first of the axes taken so far
  for (std::size_t axis = 4; axis-- > 0;) {
    const int extent = x[p.order[axis]];
    const std::int64_t its_step = step_of_x[static_cast<std::size_t>(p.order[axis])];
    if (extent == 1) {
      continue;
    }
    if (place < 4 && its_step == walk.steps[place] * walk.extents[place]) {
      walk.extents[place] *= extent;
    } else {
      --place;
      walk.extents[place] = extent;
      walk.steps[place] = its_step;
    }
  }
  if (place == 4) {
    walk.steps[3] = 1;  // of one element
  }
  return walk;
}

}  // namespace duel
