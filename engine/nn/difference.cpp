#include "engine/nn/difference.h"

#include "engine/ops/ops.h"

namespace duel {

Value difference(Program& p, Value a, Value b) {
  return ops::add(p, a, ops::affine(p, b, -1.0));
}

Value mean_absolute_difference(Program& p, Value a, Value b) {
  const Value between = difference(p, ops::cast(p, a, DType::f32), ops::cast(p, b, DType::f32));
  return ops::mean(p, ops::unary(p, UnaryKind::abs, between));
}

Value relative_squared_difference(Program& p, Value a, Value b) {
  constexpr double kLeast = 1e-8;  // of b that is zero
  const Value reference = ops::cast(p, b, DType::f32), between = difference(p, ops::cast(p, a, DType::f32), reference);
  const Value size = ops::affine(p, ops::mean(p, ops::multiply(p, reference, reference)), 1.0, kLeast);
  return ops::multiply(p, ops::mean(p, ops::multiply(p, between, between)), ops::unary(p, UnaryKind::reciprocal, size));
}

}  // namespace duel
