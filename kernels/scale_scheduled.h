// A penalty's weight, or another number that changes with the step, times an array.
//
//   scale_scheduled  y = value * x     value: the schedule's at step[0] (schedule.h), rounded to f32
//
// x, y f32 of one shape; step i64 [1]. y may be x.
#pragma once

#include "kernels/context.h"
#include "kernels/schedule.h"
#include "kernels/tensor.h"

namespace duel {

void scale_scheduled(Context&, const Schedule& scale, View step, View x, View y);

}  // namespace duel
