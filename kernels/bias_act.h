// Bias and activation behind a layer, and their derivatives.
//
//   bias_act_forward     y = act(x + b)                     b f32 [C] along the last extent, or no shape: none
//   activation_backward  dx = dy * act'(x), from y alone: relu y > 0 ? dy : 0; leaky y > 0 ? dy : slope dy;
//                        tanh dy (1 - y^2); sigmoid dy y (1 - y); identity dy
//   bias_backward        db[c] = sum over all rows of dy[.,c]
//   bias_act_backward    the two in one pass: dx as in activation_backward, db[c] = sum of dx[.,c]
//
// x, y, dx, dy [..., C] f32 or bf16, all alike; b, db f32. y may be x, dx may be dy. Sums in f32 over fixed blocks
// of rows, then over the blocks in order: the same bytes whatever the number of threads.
#pragma once

#include "kernels/activation.h"
#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void bias_act_forward(Context&, const Activation&, View x, View bias, View y);
void activation_backward(Context&, const Activation&, View dy, View y, View dx);
void bias_backward(Context&, View dy, View db);
void bias_act_backward(Context&, const Activation&, View dy, View y, View dx, View db);

}  // namespace duel
