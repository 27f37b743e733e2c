// An adversarial loss and its gradients with respect to the logits, in one pass. With r and f the logits of real and
// generated pictures, N of each, loss = mean of the term below, dreal = d loss / d r, dfake = d loss / d f:
//
//   kind          discriminator                                   generator
//   bce           (softplus(-r) + softplus(f)) / 2                softplus(-f)
//   lsgan         ((r - 1)^2 + f^2) / 2                           (f - 1)^2 / 2
//   hinge         max(0, 1 - r) + max(0, 1 + f)                   -f
//   relativistic  softplus(-(r - f))                              softplus(-(f - r))
//   wgan          f - r                                           -f
//
// bce: Goodfellow et al. (2014), the non-saturating form; lsgan: Mao et al. (2017); hinge: Lim & Ye (2017);
// relativistic, paired: Jolicoeur-Martineau (2018), as in R3GAN (Huang et al., 2024); wgan: Arjovsky et al. (2017).
//
// At the kink of max its derivative is 0. real, fake, dreal, dfake: one shape, f32 or bf16,
// alike; loss f32 [1]. `real` and `dreal` have no shape where the generator's loss does not look at real pictures. The
// sum is taken over fixed blocks and then in order: the same bytes whatever the number of threads. No overlap, but
// dreal may be real, and dfake fake.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

enum class LossKind { bce, lsgan, hinge, relativistic, wgan };
enum class LossSide { discriminator, generator };

struct GanLoss {
  LossKind kind = LossKind::bce;
  LossSide side = LossSide::discriminator;
};

void gan_loss(Context&, const GanLoss&, View real, View fake, View loss, View dreal, View dfake);

bool needs_reals(const GanLoss& loss);
const char* name_of(LossKind kind);
const char* name_of(LossSide side);

}  // namespace duel
