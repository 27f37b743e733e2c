// The two operators behind each other: what lies between fits into the caches, or is read at the speed of memory.
#include "kernels/conv2d_bias_act.h"

namespace duel {

class CpuContext;

// Of bias_act.cpp and conv2d.cpp.
void bias_act_backward(CpuContext&, const Activation&, View dy, View y, View dx, View db);
void prepare_conv2d_backward_weight(CpuContext&, const Conv2d&, View x, View dy, View dw);
void conv2d_backward_weight(CpuContext&, const Conv2d&, View x, View dy, View dw);

void prepare_conv2d_bias_act_backward(CpuContext& context, const Conv2d& conv, const Activation&, View x, View, View,
                                      View dz, View dw, View) {
  prepare_conv2d_backward_weight(context, conv, x, dz, dw);
}

void conv2d_bias_act_backward(CpuContext& context, const Conv2d& conv, const Activation& act, View x, View dy, View y,
                              View dz, View dw, View db) {
  bias_act_backward(context, act, dy, y, dz, db);
  conv2d_backward_weight(context, conv, x, dz, dw);
}

}  // namespace duel
