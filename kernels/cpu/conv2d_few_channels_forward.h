// The forward pass of a convolution whose input has one to three channels (a picture) and which has at most
// eight filters, in f32, by hand.
//
// oneDNN's primitive walks through its bookkeeping of padding, block after block, for nine products a tap: 10 GFLOP/s
// for one channel and four filters. Here a padded copy of the filter's rows of a picture is read element by element,
// times the weights [R*S*C, K], padded to a vector. Sums are taken in oneDNN's order, and have its bytes: filter
// row, filter column, channel, then the bias.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cpu/context.h"

#include <cstddef>

namespace duel {

// Whether a forward pass is better done so. Depends on types, extents and the activation alone.
bool suits_few_channels_forward(const Activation&, View x, View w, View y);

std::size_t few_channels_forward_scratch_bytes(const CpuContext&, const Conv2d&, View x, View w);

void conv2d_forward_few_channels(CpuContext&, const Conv2d&, const Activation&, View x, View w, View bias, View y);

}  // namespace duel
