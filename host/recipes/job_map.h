// Of several degradations, the one that spoilt each picture, in the forms in which networks and steps take it.
#pragma once

#include "engine/program/program.h"

namespace duel {

// Labels i32 [N] from 0 to count - 1 as channels of pictures: [N,H,W,count] where `like` is [N,H,W,...], of its type; 1
// in the channel of the label, 0 in the others.
Value job_map(Program& program, Value labels, int count, Value like);

// As many values as `like` has, of its type: 1 in pictures whose label is `job`, 0 in the others.
Value is_job(Program& program, Value labels, int count, int job, Value like);

}  // namespace duel
