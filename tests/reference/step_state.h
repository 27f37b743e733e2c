// Reference of kernels/step_state.h: the two as they would be written on one line each.
#pragma once

#include "tests/reference/array.h"

namespace duel::test::reference {

inline void store_scalar(int column, double scalar, std::int64_t step, std::int64_t rows, std::int64_t columns,
                         Array& ring) {
  ring[at(step % rows * columns + column)] = scalar;
}

inline void advance_counter(Array& step) {
  step[0] += 1;
}

}  // namespace duel::test::reference
