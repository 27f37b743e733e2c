// Reference of kernels/conv2d.h: one walk over all products of a convolution; the three operators differ only in
// which two of the arrays they multiply and into which they add.
#pragma once

#include "kernels/conv2d.h"
#include "tests/reference/bias_act.h"

namespace duel::test::reference {

// Calls product(place in x, place in w, place in y) for each product x * w that is a part of y.
template <class Product>
void for_each_product(const Conv2d& conv, const Shape& x, const Shape& w, Product product) {
  const Shape y = conv2d_output(conv, x, w);
  for (int n = 0; n < y[0]; ++n) {
    for (int p = 0; p < y[1]; ++p) {
      for (int q = 0; q < y[2]; ++q) {
        for (int k = 0; k < y[3]; ++k) {
          for (int r = 0; r < w[1]; ++r) {
            for (int s = 0; s < w[2]; ++s) {
              const int row = p * conv.stride + r - conv.pad_top;
              const int column = q * conv.stride + s - conv.pad_left;
              if (row < 0 || row >= x[1] || column < 0 || column >= x[2]) {
                continue;
              }
              const int first = k / (w[0] / conv.groups) * w[3];  // of the channels of the filter's group
              for (int c = 0; c < w[3]; ++c) {
                product(at(((std::int64_t{n} * x[1] + row) * x[2] + column) * x[3] + first + c),
                        at(((std::int64_t{k} * w[1] + r) * w[2] + s) * w[3] + c),
                        at(((std::int64_t{n} * y[1] + p) * y[2] + q) * y[3] + k));
              }
            }
          }
        }
      }
    }
  }
}

inline Array conv2d_forward(const Conv2d& conv, const Activation& act, const Shape& x_shape, const Shape& w_shape,
                            const Array& x, const Array& w, const Array& bias) {
  Array y(at(conv2d_output(conv, x_shape, w_shape).count()), 0.0);
  for_each_product(conv, x_shape, w_shape, [&](std::size_t i, std::size_t j, std::size_t o) { y[o] += x[i] * w[j]; });
  return bias_act_forward(act, y, bias, w_shape[0]);
}

inline Array conv2d_backward_input(const Conv2d& conv, const Shape& x_shape, const Shape& w_shape, const Array& dy,
                                   const Array& w) {
  Array dx(at(x_shape.count()), 0.0);
  for_each_product(conv, x_shape, w_shape, [&](std::size_t i, std::size_t j, std::size_t o) { dx[i] += dy[o] * w[j]; });
  return dx;
}

inline Array conv2d_backward_weight(const Conv2d& conv, const Shape& x_shape, const Shape& w_shape, const Array& x,
                                    const Array& dy) {
  Array dw(at(w_shape.count()), 0.0);
  for_each_product(conv, x_shape, w_shape, [&](std::size_t i, std::size_t j, std::size_t o) { dw[j] += dy[o] * x[i]; });
  return dw;
}

}  // namespace duel::test::reference
