// One half of the columns times the other (the simple gate of Chen, Chu, Zhang & Sun, "Simple baselines for image
// restoration", 2022, equation 4). x, dx [...,2C]; y, dy [...,C]:
//
//   gate           y[...,c] = x[...,c] x[...,C+c]
//   gate_backward  dx[...,c] = dy[...,c] x[...,C+c];  dx[...,C+c] = dy[...,c] x[...,c]
//
// f32 or bf16, all alike; arithmetic is f32. No overlap.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void gate(Context&, View x, View y);
void gate_backward(Context&, View dy, View x, View dx);

}  // namespace duel
