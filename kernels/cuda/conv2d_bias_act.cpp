// Who computes a layer's gradients (contract: kernels/conv2d_bias_act.h): one kernel of ours for pictures of few
// channels, of which no library has its like; else the two operators behind each other, the second of which chooses.
#include "kernels/conv2d_bias_act.h"

#include "kernels/cuda/conv2d_few_channels.h"

namespace duel {

// Of bias_act.cu and conv2d.cpp.
void bias_act_backward(CudaContext&, const Activation&, View dy, View y, View dx, View db);
void prepare_conv2d_backward_weight(CudaContext&, const Conv2d&, View x, View dy, View dw);
void conv2d_backward_weight(CudaContext&, const Conv2d&, View x, View dy, View dw);

void prepare_conv2d_bias_act_backward(CudaContext& context, const Conv2d& conv, const Activation&, View x, View, View,
                                      View dz, View dw, View) {
  if (!few_channels_fit(ConvShape(conv, x.shape, dw.shape, dz.shape))) {
    prepare_conv2d_backward_weight(context, conv, x, dz, dw);
  }
}

void conv2d_bias_act_backward(CudaContext& context, const Conv2d& conv, const Activation& act, View x, View dy, View y,
                              View dz, View dw, View db) {
  const ConvShape shape(conv, x.shape, dw.shape, dz.shape);
  if (few_channels_fit(shape)) {
    conv2d_backward_weight_few_channels(context, "conv2d_bias_act_backward", shape, act, x, dy, y, dz, dw, db);
    return;
  }
  bias_act_backward(context, act, dy, y, dz, db);
  conv2d_backward_weight(context, conv, x, dz, dw);
}

}  // namespace duel
