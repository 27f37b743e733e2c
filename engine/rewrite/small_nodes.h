// Small nodes in few launches: losses, metrics, casts, slices, clipping and what is stored of them, which are a launch
// each on a GPU and no work, become lists of instructions (kernels/small_program.h).
//
// Every other node keeps its place in the order. Between them are gaps, and a small node may run in any gap behind the
// last node that it depends on and before the first that depends on it. Each goes to one of the fewest gaps that leave
// none without: the last gap of the small node that has to be done first, where all that may run there joins it, and so
// on. So what the way to the gradients needs is done just before it is needed, and what is only looked at later joins
// it, or waits for the next such gap.
#pragma once

#include "engine/program/program.h"

namespace duel {

// After differentiate and fuse, as a list has no derivative. The results are those of the single nodes: on a CPU their
// bytes.
void group_small_nodes(Program& program);

}  // namespace duel
