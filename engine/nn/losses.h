// Adversarial losses on logits, and gradient penalties. All results are f32 [1].
//
// kernels/gan_loss.h has the formulas, by kind. `fused` records that operator, which gives the gradient in the same
// pass; otherwise the loss is composed of small operators: the same numbers, but for rounding.
#pragma once

#include "engine/program/program.h"
#include "kernels/gan_loss.h"

#include <string_view>

namespace duel {

LossKind loss_named(std::string_view name);  // throws kind `usage` naming the five

// real, fake: logits f32 [N,1].
Value discriminator_loss(Program& program, LossKind kind, Value real, Value fake, bool fused);
// `real` is used by relativistic only, and need not exist for the others.
Value generator_loss(Program& program, LossKind kind, Value fake, Value real, bool fused);
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
