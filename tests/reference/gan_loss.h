// Reference of kernels/gan_loss.h.
#pragma once

#include "kernels/gan_loss.h"
#include "tests/reference/array.h"
#include "tests/reference/elementwise.h"

#include <cmath>

namespace duel::test::reference {

struct GanLossTerm {
  double value, dreal, dfake;
};

inline GanLossTerm gan_loss_term(const GanLoss& p, double r, double f) {
  const auto softplus = [](double x) { return unary(UnaryKind::softplus, x); };
  const auto sigmoid = [](double x) { return unary(UnaryKind::sigmoid, x); };
  const auto step = [](double x) { return x > 0 ? 1.0 : 0.0; };
  if (p.side == LossSide::discriminator) {
    switch (p.kind) {
      case LossKind::bce: return {(softplus(-r) + softplus(f)) / 2, -sigmoid(-r) / 2, sigmoid(f) / 2};
      case LossKind::lsgan: return {((r - 1) * (r - 1) + f * f) / 2, r - 1, f};
      case LossKind::hinge: return {std::fmax(0, 1 - r) + std::fmax(0, 1 + f), -step(1 - r), step(1 + f)};
      case LossKind::relativistic: return {softplus(-(r - f)), -sigmoid(-(r - f)), sigmoid(-(r - f))};
      case LossKind::wgan: return {f - r, -1, 1};
    }
  }
  switch (p.kind) {
    case LossKind::bce: return {softplus(-f), 0, -sigmoid(-f)};
    case LossKind::lsgan: return {(f - 1) * (f - 1) / 2, 0, f - 1};
    case LossKind::hinge:
    case LossKind::wgan: return {-f, 0, -1};
    case LossKind::relativistic: return {softplus(-(f - r)), sigmoid(-(f - r)), -sigmoid(-(f - r))};
  }
  return {NAN, NAN, NAN};
}

struct GanLossResult {
  Array loss, dreal, dfake;
};

// `real` without elements: a generator's loss that does not look at them.
inline GanLossResult gan_loss(const GanLoss& p, const Array& real, const Array& fake) {
  const double share = 1 / static_cast<double>(fake.size());
  GanLossResult result{{0}, Array(real.size()), Array(fake.size())};
  for (std::size_t i = 0; i < fake.size(); ++i) {
    const GanLossTerm term = gan_loss_term(p, real.empty() ? 0 : real[i], fake[i]);
    result.loss[0] += share * term.value;
    result.dfake[i] = share * term.dfake;
    if (!real.empty()) {
      result.dreal[i] = share * term.dreal;
    }
  }
  return result;
}

}  // namespace duel::test::reference
