// The gradients of a convolutional layer y = act(conv2d(x, w) + b) that reach its own arrays, in one pass over dy and
// y:
//
//   dz[n,p,q,k] = dy[n,p,q,k] act'(...), from y as in activation_backward (bias_act.h), rounded to dz's type
//   dw          = conv2d_backward_weight of x and dz
//   db[k]       = sum_{n,p,q} dz[n,p,q,k]
//
// x [N,H,W,C]; dy, y, dz [N,P,Q,K]; f32 or bf16, all alike; dw [K,R,S,C] and db [K], f32. Outputs may not overlap an
// input, nor each other. The same call gives the same bytes on the same device and threads. It pays for pictures of at
// most kFewChannels channels, whose patches are small beside dy; with more it is the two operators behind each other.
#pragma once

#include "kernels/conv2d.h"

namespace duel {

inline constexpr int kFewChannels = 4;

void prepare_conv2d_bias_act_backward(Context&, const Conv2d&, const Activation&, View x, View dy, View y, View dz,
                                      View dw, View db);
void conv2d_bias_act_backward(Context&, const Conv2d&, const Activation&, View x, View dy, View y, View dz, View dw,
                              View db);

}  // namespace duel
