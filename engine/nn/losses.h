// Adversarial losses on logits, and gradient penalties. All results are f32 [1].
//
// With r and f the logits of real and generated pictures, N of each, a loss is the mean of:
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
// At the kink of max its derivative is 0. They are composed of operators; rewrite/small_nodes.h makes one launch of
// them.
#pragma once

#include "engine/program/program.h"

#include <string_view>

namespace duel {

enum class LossKind { bce, lsgan, hinge, relativistic, wgan };

LossKind loss_named(std::string_view name);  // throws kind `usage` naming the five

// real, fake: logits f32 [N,1].
Value discriminator_loss(Program& program, LossKind kind, Value real, Value fake);
// `real` is used by relativistic losses only, and need not exist for the others.
Value generator_loss(Program& program, LossKind kind, Value fake, Value real);
// Whether a logit counts beside that of the other kind only, so that its sign says nothing.
bool is_relativistic(LossKind kind);

// |d logit_n / d picture_n|^2 for each picture: f32 [N]. Mean over real pictures it is R1, over generated ones R2
// (Mescheder, Geiger & Nowozin, 2018, eq. 9 and 10). `pictures` must be a value that `logits` was computed from.
Value squared_gradient_norms(Program& program, Value logits, Value pictures);

// mean (|d D(m) / d m| - 1)^2 (Gulrajani et al., 2017, eq. 3), from the squared norms at the mixed pictures.
Value wgan_gradient_penalty(Program& program, Value squared_norms);

// share * a + (1 - share) * b, with one share per picture. share f32 [N]; a, b [N,...] alike.
Value mix_rows(Program& program, Value share, Value a, Value b);

// The part of the values that is above 0.
Value fraction_positive(Program& program, Value values);
// The logit at which the discriminator only guesses: 1/2 for lsgan, which asks for 1 and 0, otherwise 0.
double guess_of(LossKind kind);
// The discriminator's accuracy: the part of real logits above that, and of generated ones below it.
Value accuracy_on_real(Program& program, LossKind kind, Value logits);
Value accuracy_on_fake(Program& program, LossKind kind, Value logits);
// The part of the pairs, row by row, whose real picture has the greater logit.
Value fraction_ordered(Program& program, Value real, Value fake);

}  // namespace duel
