// Moving columns (last extent) of arrays: a latent beside the row of its class, and taking channels apart.
//
//   concat_columns  y[...,c] = a[...,c] for c < Ca, else b[...,c-Ca]     a [...,Ca], b [...,Cb], y [...,Ca+Cb]
//   slice_columns   y[...,c] = x[...,begin+c]                            x [...,C], y [...,Cy]
//   pad_columns     y = 0 but y[...,begin+c] = x[...,c]                  x [...,Cx], y [...,C]; the derivative of
//                                                                        slice_columns
//
// All extents but the last are equal. f32 or bf16, all alike. No overlap.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void concat_columns(Context&, View a, View b, View y);
void slice_columns(Context&, int begin, View x, View y);
void pad_columns(Context&, int begin, View x, View y);

}  // namespace duel
