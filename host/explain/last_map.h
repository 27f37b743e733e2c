// The last map of a network: what it has found, and where, before the places are summed or flattened.
#pragma once

#include "engine/program/program.h"

namespace duel {

// Of the arrays on the way from the pictures to the logits, the last recorded that is a picture of channels, [N,h,w,K]
// with more than one place; none where a network keeps no places, as one of dense layers. The program is not fused.
Value last_map(const Program& program, Value pictures, Value logits);

}  // namespace duel
