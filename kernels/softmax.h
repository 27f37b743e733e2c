// The softmax over the last extent, and its derivative.
//
//   softmax            y[r,c]  = exp(x[r,c] - max of x[r,.]) / sum over j of exp(x[r,j] - max of x[r,.])
//   softmax_backward   dx[r,c] = y[r,c] (dy[r,c] - sum over j of dy[r,j] y[r,j])
//
// x, y, dy, dx [...,C], f32 or bf16, all alike; arithmetic in f32. y may be x; dx may be dy or y. A row that holds a
// NaN becomes NaN. The same bytes whatever the number of threads.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void softmax(Context&, View x, View y);
void softmax_backward(Context&, View dy, View y, View dx);

}  // namespace duel
