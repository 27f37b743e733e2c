// Tags: several properties of a picture at once, each of which it has, has not, or of which nobody knows.
//
// logits f32 [N,K], targets f32 [N,K]: 1 it has the tag, 0 it has not, -1 unknown. With k the number of known targets,
// or 1 where there are none, over the known ones
//
//   tag_loss      sum of (softplus(x) - x y) / k: binary cross-entropy of sigmoid(x)
//   tag_accuracy  share of those whose logit is above 0 where y is 1, and not where it is 0; a constant
//
// Both f32 [1].
#pragma once

#include "engine/program/program.h"

namespace duel {

Value tag_loss(Program& program, Value logits, Value targets);
Value tag_accuracy(Program& program, Value logits, Value targets);

}  // namespace duel
