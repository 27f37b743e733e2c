// Our kernels for convolutions in groups of channels, where a product of all channels would be mostly zeros.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/conv2d_shape.h"

namespace duel {

class CudaContext;

void conv2d_forward_grouped(CudaContext&, const ConvShape& shape, int groups, const Activation&, View x, View w,
                            View bias, View y);
void conv2d_backward_input_grouped(CudaContext&, const ConvShape& shape, int groups, View dy, View w, View dx);
void conv2d_backward_weight_grouped(CudaContext&, const ConvShape& shape, int groups, View x, View dy, View dw);

}  // namespace duel
