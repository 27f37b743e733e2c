// What a network's gradients have in common with those of a penalty on them.
//
// R1 and R2 (Mescheder et al., "Which training methods for GANs do actually converge?", 2018) ask for the gradient of
// each logit by its own picture: a backward pass that begins with a one for each picture. The loss then asks for the
// same pass, begun with another number for each picture, l[n]. All that it computes before the first operator that
// mixes pictures, or that is not linear, is the first pass's result times that number:
//
//   dz'[n,...] = l[n] dz[n,...]
//
// so that it need not be computed again. And where a weight's gradient is the sum of what the loss and what the penalty
// say, v being the penalty's gradient by the gradient of the layer's input x, two products become one:
//
//   backward_weight(x, dz') + backward_weight(v, dz) = backward_weight(l x + v, dz)
//
// Of six passes over the discriminator two are saved. Sums are rounded elsewhere than without, so results agree to
// rounding alone.
#pragma once

#include "engine/program/program.h"

namespace duel {

// After differentiate, and before fuse. Leaves a program as it is where nothing is saved.
void share_proportional_gradients(Program& program);

}  // namespace duel
