// Our kernels for convolutions of pictures with at most kFewChannels channels: first layers, and the gradients that
// reach pictures. A product of matrices would leave most of a tile empty there.
#pragma once

#include "kernels/conv2d_bias_act.h"
#include "kernels/cuda/conv2d_shape.h"

namespace duel {

class CudaContext;

// Whether they take a problem: its channels are few, and what a block needs of it fits into shared memory.
bool few_channels_fit(const ConvShape& shape);

void conv2d_forward_few_channels(CudaContext&, const ConvShape& shape, const Activation&, View x, View w, View bias,
                                 View y);
void conv2d_backward_input_few_channels(CudaContext&, const ConvShape& shape, View dy, View w, View dx);
// As conv2d_bias_act_backward; without y (no shape), dz and db as conv2d_backward_weight.
void conv2d_backward_weight_few_channels(CudaContext&, const char* op, const ConvShape& shape, const Activation&,
                                         View x, View dy, View y, View dz, View dw, View db);

}  // namespace duel
