// The input gradient of a convolution whose input has one to three channels (a picture), by hand.
//
// oneDNN's primitive wants channels in vectors of 16 and runs at 25 GFLOP/s for one channel (400 and more for 32).
// Here the vector runs over the K output channels: each input pixel gathers, for each filter tap that reaches it,
// the dot product of K gradients with K weights. The weights are first copied to [R,S,C,K], f32, so that they too are
// read along K.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cpu/context.h"

namespace duel {

inline constexpr int kFewChannels = 3;

inline bool has_few_channels(View dx) {
  return dx.shape[3] <= kFewChannels;
}
inline std::size_t few_channels_scratch_bytes(View w) {
  return static_cast<std::size_t>(w.count()) * sizeof(float);
}

void conv2d_backward_input_few_channels(CpuContext&, const Conv2d&, View dy, View w, View dx);

}  // namespace duel
