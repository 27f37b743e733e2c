// Our kernels for convolutions, on whatever arrays the contract allows.
#pragma once

#include "kernels/conv2d.h"

namespace duel {

class CudaContext;

void conv2d_forward_ours(CudaContext&, const Conv2d&, const Activation&, View x, View w, View bias, View y);
void conv2d_backward_input_ours(CudaContext&, const Conv2d&, View dy, View w, View dx);
void conv2d_backward_weight_ours(CudaContext&, const Conv2d&, View x, View dy, View dw);

}  // namespace duel
