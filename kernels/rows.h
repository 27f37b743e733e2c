// Moving rows (first extent) of arrays: joining real and generated pictures into one batch, and taking it apart.
//
//   concat_rows  y = a above b             a [Na,...], b [Nb,...], y [Na+Nb,...]
//   slice_rows   y = x[begin : begin+Ny]   x [N,...],  y [Ny,...]
//   pad_rows     y = 0 but y[begin : begin+Nx] = x     x [Nx,...], y [N,...]; the derivative of slice_rows
//
// f32, bf16 or i32 (labels), all alike. No overlap.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void concat_rows(Context&, View a, View b, View y);
void slice_rows(Context&, int begin, View x, View y);
void pad_rows(Context&, int begin, View x, View y);

}  // namespace duel
