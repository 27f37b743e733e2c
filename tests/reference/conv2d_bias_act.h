// Reference of kernels/conv2d_bias_act.h, but for the rounding of dz: whoever compares gives dz as it is stored.
#pragma once

#include "tests/reference/bias_act.h"
#include "tests/reference/conv2d.h"

namespace duel::test::reference {

struct LayerGradients {
  Array dw, db;
};

inline LayerGradients layer_gradients(const Conv2d& conv, const Shape& x_shape, const Shape& w_shape, const Array& x,
                                      const Array& dz) {
  return {conv2d_backward_weight(conv, x_shape, w_shape, x, dz), bias_backward(dz, w_shape[0])};
}

}  // namespace duel::test::reference
