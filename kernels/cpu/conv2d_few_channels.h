// The input gradient of a convolution whose input has one to three channels (a picture), by hand.
//
// oneDNN's primitive wants channels in vectors of 16 and runs at 25 GFLOP/s for one channel (400 and more for 32).
// Here the vector runs over the filter's taps: a row of dy [Q,K] times the weights [K, R*S*C], padded to whole vectors,
// is what each of its pixels gives to each pixel under the filter, and is added there.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cpu/context.h"

namespace duel {

inline constexpr int kFewChannels = 3;

inline bool has_few_channels(View dx) {
  return dx.shape[3] <= kFewChannels;
}
std::size_t few_channels_scratch_bytes(const CpuContext& context, View dy, View w, View dx);

void conv2d_backward_input_few_channels(CpuContext&, const Conv2d&, View dy, View w, View dx);

}  // namespace duel
