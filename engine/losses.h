// Adversarial losses on logits, and gradient penalties, as compositions of operators. All results are f32 [1].
//
//   kind          discriminator                                              generator
//   bce           0.5 (mean softplus(-D(x)) + mean softplus(D(G(z))))        mean softplus(-D(G(z)))
//   lsgan         0.5 (mean (D(x)-1)^2 + mean D(G(z))^2)                     0.5 mean (D(G(z))-1)^2
//   hinge         mean max(0, 1-D(x)) + mean max(0, 1+D(G(z)))               -mean D(G(z))
//   relativistic  mean softplus(-(D(x)-D(G(z))))                             mean softplus(-(D(G(z))-D(x)))
//   wgan          mean D(G(z)) - mean D(x)                                   -mean D(G(z))
//
// bce: Goodfellow et al. (2014), the non-saturating form; lsgan: Mao et al. (2017); hinge: Lim & Ye (2017);
// relativistic, paired: Jolicoeur-Martineau (2018), as in R3GAN (Huang et al., 2024); wgan: Arjovsky et al. (2017).
#pragma once

#include "engine/program.h"

#include <string_view>

namespace duel {

enum class LossKind { bce, lsgan, hinge, relativistic, wgan };

LossKind loss_named(std::string_view name);  // throws kind `usage` naming the five

// real, fake: logits f32 [N,1].
Value discriminator_loss(Program& program, LossKind kind, Value real, Value fake);
// `real` is used by relativistic only, and need not exist for the others.
Value generator_loss(Program& program, LossKind kind, Value fake, Value real);
bool generator_loss_needs_reals(LossKind kind);

// |d logit_n / d picture_n|^2 for each picture: f32 [N]. Mean over real pictures it is R1, over generated ones R2
// (Mescheder, Geiger & Nowozin, 2018, eq. 9 and 10). `pictures` must be a value that `logits` was computed from.
Value squared_gradient_norms(Program& program, Value logits, Value pictures);

// mean (|d D(m) / d m| - 1)^2 (Gulrajani et al., 2017, eq. 3), from the squared norms at the mixed pictures.
Value wgan_gradient_penalty(Program& program, Value squared_norms);

// share * a + (1 - share) * b, with one share per picture. share f32 [N]; a, b [N,...] alike.
Value mix_rows(Program& program, Value share, Value a, Value b);

// The part of the logits that is positive (or negative): the discriminator's accuracy on real (generated) pictures.
Value fraction_positive(Program& program, Value logits);
Value fraction_negative(Program& program, Value logits);

}  // namespace duel
