// Of several degradations, the one that spoilt each picture, in the forms in which networks and steps take it.
#pragma once

#include "engine/program/program.h"

namespace duel {

// Of labels i32 [N] from 0 to count - 1 the rows of the identity, f32 [N,count], which the others take.
Value one_hot_jobs(Program& program, Value labels, int count);

// [N,H,W,count] where `like` is [N,H,W,...], of its type: 1 in the channel of the picture's job, 0 in the others.
Value job_map(Program& program, Value one_hot, Value like);

// As many values as `like` has, of its type: 1 in pictures of that job, 0 in the others.
Value is_job(Program& program, Value one_hot, int job, Value like);

}  // namespace duel
