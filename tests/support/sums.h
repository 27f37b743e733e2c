// Losses of tests of derivatives.
#pragma once

#include "tests/support/small_program.h"

#include <vector>

namespace duel::test {

inline Value weighted_sum(Program& p, Value value) {
  const Value flat = p.reshape(value, {static_cast<int>(p.shape(value).count())});
  // Weights that differ, so that an error in one element cannot hide behind another: x + 0.3 x^2.
  const Value square = ops::affine(p, ops::multiply(p, flat, flat), 0.3);
  return ops::reduce_sum(p, {Axes::all, 1.0F}, ops::add(p, flat, square));
}

inline Value sum_of_squares(Program& p, const std::vector<Value>& values) {
  Value total;
  for (const Value value : values) {
    const Value squares = ops::reduce_sum(p, {Axes::all, 1.0F}, ops::multiply(p, value, value));
    total = total.exists() ? ops::add(p, total, squares) : squares;
  }
  return total;
}

}  // namespace duel::test
