// Convolutions that make pictures of one to three channels, by hand: the input gradient of one that reads such a
// picture, and the forward pass of one to three filters at stride 1, which is the input gradient of the turned filters.
//
// oneDNN's primitives want channels in vectors of 16 and run at 25 GFLOP/s for one channel (400 and more for 32), and
// at 13 for one filter.
// Here the vector runs over the filter's taps: a row of dy [Q,K] times the weights [K, R*S*C], padded to whole vectors,
// is what each of its pixels gives to each pixel under the filter, and is added there.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cpu/context.h"

#include <algorithm>
#include <cstddef>

namespace duel {

inline constexpr int kFewChannels = 3;

inline bool has_few_channels(View dx) {
  return dx.shape[3] <= kFewChannels;
}
std::size_t few_channels_scratch_bytes(const CpuContext& context, View dy, View w, View dx);
void conv2d_backward_input_few_channels(CpuContext&, const Conv2d&, View dy, View w, View dx);

inline bool has_few_filters(const Conv2d& conv, View w) {
  return conv.stride == 1 && w.shape[0] <= kFewChannels && std::max(conv.pad_top, conv.pad_bottom) < w.shape[1] &&
         std::max(conv.pad_left, conv.pad_right) < w.shape[2];
}
std::size_t few_filters_scratch_bytes(const CpuContext& context, const Conv2d&, View x, View w, View y);
void conv2d_forward_few_filters(CpuContext&, const Conv2d&, const Activation&, View x, View w, View bias, View y);

// The convolution at stride 1 whose input gradient the forward pass of `conv` is, for filters [R,S].
inline Conv2d turned(const Conv2d& conv, int R, int S) {
  return {1, R - 1 - conv.pad_top, R - 1 - conv.pad_bottom, S - 1 - conv.pad_left, S - 1 - conv.pad_right};
}

}  // namespace duel
