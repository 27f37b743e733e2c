// Each row times a number of its own, and another array behind it. x, addend, y [N,...], scale f32 [N]:
//
//   scale_rows   y[n,...] = scale[n] x[n,...] + addend[n,...]
//
// `addend` may be a View without a shape: nothing is added. x, addend and y are f32 or bf16, all alike; arithmetic is
// f32. y may be x or addend, or scale where rows have one element.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void scale_rows(Context&, View scale, View x, View addend, View y);

}  // namespace duel
