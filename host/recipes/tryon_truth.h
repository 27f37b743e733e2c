// The true flow of a try-on set, in a program.
#pragma once

#include "engine/program/program.h"

namespace duel {

// `coded` f32 [N,H,W,3]: the field "flow" of a try-on set (host/data/tryon_source.h), its bytes as -1..1. The flow
// [N,H,W,2] that engine/nn/flow.h means: of each pixel how many pixels to the right and down of it lies what is there.
Value true_flow(Program& program, Value coded);

}  // namespace duel
