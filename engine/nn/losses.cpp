#include "engine/nn/losses.h"

#include "engine/nn/difference.h"
#include "engine/ops/ops.h"
#include "engine/rewrite/differentiate.h"
#include "kernels/check.h"

namespace duel {

namespace {

// mean softplus(sign * x)
Value mean_softplus(Program& p, Value x, double sign) {
  return ops::mean(p, ops::unary(p, UnaryKind::softplus, sign == 1.0 ? x : ops::affine(p, x, sign)));
}

// mean (x - target)^2
Value mean_squared_difference(Program& p, Value x, double target) {
  const Value difference = target == 0.0 ? x : ops::affine(p, x, 1.0, -target);
  return ops::mean(p, ops::multiply(p, difference, difference));
}

// mean max(0, 1 + sign * x)
Value mean_hinge(Program& p, Value x, double sign) {
  return ops::mean(p, ops::bias_act(p, {ActivationKind::relu}, ops::affine(p, x, sign, 1.0), {}));
}

}  // namespace

LossKind loss_named(std::string_view name) {
  if (name == "bce") {
    return LossKind::bce;
  }
  if (name == "lsgan") {
    return LossKind::lsgan;
  }
  if (name == "hinge") {
    return LossKind::hinge;
  }
  if (name == "relativistic") {
    return LossKind::relativistic;
  }
  if (name == "wgan") {
    return LossKind::wgan;
  }
  throw_error(Error::Kind::usage, "loss.kind: \"{}\" is none of bce, lsgan, hinge, relativistic, wgan", name);
}

Value discriminator_loss(Program& p, LossKind kind, Value real, Value fake) {
  switch (kind) {
    case LossKind::bce:
      return ops::affine(p, ops::add(p, mean_softplus(p, real, -1.0), mean_softplus(p, fake, 1.0)), 0.5);
    case LossKind::lsgan:
      return ops::affine(p, ops::add(p, mean_squared_difference(p, real, 1.0), mean_squared_difference(p, fake, 0.0)),
                         0.5);
    case LossKind::hinge: return ops::add(p, mean_hinge(p, real, -1.0), mean_hinge(p, fake, 1.0));
    case LossKind::relativistic: return mean_softplus(p, difference(p, real, fake), -1.0);
    case LossKind::wgan: return difference(p, ops::mean(p, fake), ops::mean(p, real));
  }
  throw_error(Error::Kind::internal, "discriminator_loss: unknown kind");
}

Value generator_loss(Program& p, LossKind kind, Value fake, Value real) {
  switch (kind) {
    case LossKind::bce: return mean_softplus(p, fake, -1.0);
    case LossKind::lsgan: return ops::affine(p, mean_squared_difference(p, fake, 1.0), 0.5);
    case LossKind::hinge:
    case LossKind::wgan: return ops::affine(p, ops::mean(p, fake), -1.0);
    case LossKind::relativistic: return mean_softplus(p, difference(p, fake, real), -1.0);
  }
  throw_error(Error::Kind::internal, "generator_loss: unknown kind");
}

bool is_relativistic(LossKind kind) {
  return kind == LossKind::relativistic;
}

Value squared_gradient_norms(Program& p, Value logits, Value pictures) {
  const Program::Scope scope(p, "gradient_penalty");
  // Each logit depends on its own picture alone, so the gradient of their sum holds each picture's gradient.
  const Value gradient = ops::cast(p, differentiate(p, logits, {pictures})[0], DType::f32);
  return ops::reduce_sum(p, {Axes::each_row, 1.0F}, ops::multiply(p, gradient, gradient));
}

Value wgan_gradient_penalty(Program& p, Value squared_norms) {
  // The root's slope is infinite at zero; 1e-12 is far below any norm that matters.
  const Value norms = ops::unary(p, UnaryKind::square_root, ops::affine(p, squared_norms, 1.0, 1e-12));
  return mean_squared_difference(p, norms, 1.0);
}

Value mix_rows(Program& p, Value share, Value a, Value b) {
  const Value shares = ops::broadcast(p, {Axes::each_row, 1.0F}, share, p.shape(a), p.dtype(a));
  return ops::add(p, b, ops::multiply(p, shares, difference(p, a, b)));
}

Value fraction_positive(Program& p, Value values) {
  return ops::mean(p, ops::unary(p, UnaryKind::positive, values));
}

double guess_of(LossKind kind) {
  return kind == LossKind::lsgan ? 0.5 : 0.0;
}

Value accuracy_on_real(Program& p, LossKind kind, Value logits) {
  const double guess = guess_of(kind);
  return fraction_positive(p, guess == 0 ? logits : ops::affine(p, logits, 1.0, -guess));
}

Value accuracy_on_fake(Program& p, LossKind kind, Value logits) {
  return fraction_positive(p, ops::affine(p, logits, -1.0, guess_of(kind)));
}

Value fraction_ordered(Program& p, Value real, Value fake) {
  return fraction_positive(p, difference(p, real, fake));
}

}  // namespace duel
