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

}  // namespace duel
