#include "kernels/gan_loss.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <cmath>

namespace duel {

namespace {

// One pair of logits: the term of the loss, and its derivatives.
struct Term {
  float value, dreal, dfake;
};

float softplus(float x) {
  return (x < 0.0F ? 0.0F : x) + std::log1p(std::exp(-std::fabs(x)));
}
float sigmoid(float x) {
  return 1.0F / (1.0F + std::exp(-x));
}
float positive_part(float x) {
  return x < 0.0F ? 0.0F : x;  // a NaN passes
}
float step(float x) {
  return x > 0.0F ? 1.0F : 0.0F;
}

Term discriminator_term(LossKind kind, float r, float f) {
  switch (kind) {
    case LossKind::bce: return {0.5F * (softplus(-r) + softplus(f)), -0.5F * sigmoid(-r), 0.5F * sigmoid(f)};
    case LossKind::lsgan: return {0.5F * ((r - 1.0F) * (r - 1.0F) + f * f), r - 1.0F, f};
    case LossKind::hinge: return {positive_part(1.0F - r) + positive_part(1.0F + f), -step(1.0F - r), step(1.0F + f)};
    case LossKind::relativistic: return {softplus(f - r), -sigmoid(f - r), sigmoid(f - r)};
    case LossKind::wgan: return {f - r, -1.0F, 1.0F};
  }
  throw Error(Error::Kind::internal, "gan_loss: unknown kind");
}

Term generator_term(LossKind kind, float r, float f) {
  switch (kind) {
    case LossKind::bce: return {softplus(-f), 0.0F, -sigmoid(-f)};
    case LossKind::lsgan: return {0.5F * (f - 1.0F) * (f - 1.0F), 0.0F, f - 1.0F};
    case LossKind::hinge:
    case LossKind::wgan: return {-f, 0.0F, -1.0F};
    case LossKind::relativistic: return {softplus(r - f), sigmoid(r - f), -sigmoid(r - f)};
  }
  throw Error(Error::Kind::internal, "gan_loss: unknown kind");
}

}  // namespace

void gan_loss(CpuContext& context, const GanLoss& p, View real, View fake, View loss, View dreal, View dfake) {
  const std::int64_t count = fake.count();
  const std::int64_t most = CpuContext::kPartialBytes / sizeof(double);
  const std::int64_t block = std::max<std::int64_t>(kPointwiseGrain, (count + most - 1) / most);
  const std::int64_t blocks = (count + block - 1) / block;
  const float share = 1.0F / static_cast<float>(count);
  auto* partials = static_cast<double*>(context.partials());
  with_float_type(fake.dtype, [&](auto element) {
    using T = decltype(element);
    const T *r = real.as<const T>(), *f = fake.as<const T>();
    T *dr = dreal.as<T>(), *df = dfake.as<T>();
    const bool has_reals = needs_reals(p);
    parallel_ranges(context, blocks, 1, [=](std::int64_t first, std::int64_t last) {
      for (std::int64_t b = first; b < last; ++b) {
        double sum = 0;
        for (std::int64_t i = b * block; i < std::min(count, (b + 1) * block); ++i) {
          const float real_logit = has_reals ? to_float(r[i]) : 0.0F, fake_logit = to_float(f[i]);
          const Term term = p.side == LossSide::discriminator ? discriminator_term(p.kind, real_logit, fake_logit)
                                                              : generator_term(p.kind, real_logit, fake_logit);
          sum += static_cast<double>(term.value);
          df[i] = from_float<T>(share * term.dfake);
          if (has_reals) {
            dr[i] = from_float<T>(share * term.dreal);
          }
        }
        partials[b] = sum;
      }
    });
  });
  double sum = 0;
  for (std::int64_t b = 0; b < blocks; ++b) {
    sum += partials[b];
  }
  loss.as<float>()[0] = static_cast<float>(sum / static_cast<double>(count));
}

}  // namespace duel
