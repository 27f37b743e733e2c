#include "engine/nn/tag_loss.h"

#include "engine/nn/difference.h"
#include "engine/ops/ops.h"

namespace duel {

namespace {

// 1 where x > 0, else 0.
Value is_positive(Program& p, Value x) {
  return ops::unary(p, UnaryKind::positive, x);
}

Value is_known(Program& p, Value targets) {
  return ops::affine(p, is_positive(p, ops::affine(p, targets, -1.0)), -1.0, 1.0);
}

Value mean_of_known(Program& p, Value x, Value known) {
  const double one = 1.0 / static_cast<double>(p.shape(known).count());
  // The greater of the share and that of one target.
  const Value surplus = ops::bias_act(p, {ActivationKind::relu}, ops::affine(p, ops::mean(p, known), 1.0, -one), {});
  const Value share = ops::affine(p, surplus, 1.0, one);
  return ops::multiply(p, ops::mean(p, ops::multiply(p, x, known)), ops::unary(p, UnaryKind::reciprocal, share));
}

}  // namespace

Value tag_loss(Program& p, Value logits, Value targets) {
  const Value entropies =
      difference(p, ops::unary(p, UnaryKind::softplus, logits), ops::multiply(p, logits, is_positive(p, targets)));
  return mean_of_known(p, entropies, is_known(p, targets));
}

Value tag_accuracy(Program& p, Value logits, Value targets) {
  const Value called = is_positive(p, logits), has = is_positive(p, targets);
  const Value both = ops::affine(p, ops::multiply(p, called, has), 2.0, 1.0);
  const Value right = difference(p, both, ops::add(p, called, has));  // 1 where they are equal
  return mean_of_known(p, right, is_known(p, targets));
}

}  // namespace duel
