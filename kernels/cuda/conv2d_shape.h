// The extents of a convolution, and of its input's gradient: for launchers and kernels alike.
#pragma once

#include "kernels/conv2d.h"

namespace duel {

// The extents of a convolution.
struct ConvShape {
  int N, H, W, C, K, R, S, P, Q, stride, pad_top, pad_left;

  ConvShape(const Conv2d& conv, const Shape& x, const Shape& w, const Shape& y)
      : N(x[0]),
        H(x[1]),
        W(x[2]),
        C(x[3]),
        K(w[0]),
        R(w[1]),
        S(w[2]),
        P(y[1]),
        Q(y[2]),
        stride(conv.stride),
        pad_top(conv.pad_top),
        pad_left(conv.pad_left) {}
};

// For the input's gradient. With a stride, pixels of x fall into stride*stride classes by (h+pad_top) % stride and
// (w+pad_left) % stride, and only the taps r of h's remainder, s of w's, ever meet a pixel of the class: each class is
// a product of its own, without the zeros that a dilated dy would be full of.
struct GradientClass {
  int first_h, first_w;  // of the class: h = first_h + stride * i
  int rows, columns;     // how many i, j
  int first_r, first_s;  // r = first_r + stride * j
  int taps_r, taps_s;

  constexpr GradientClass(const ConvShape& s, int h_remainder, int w_remainder)
      : first_h(first(h_remainder, s.pad_top, s.stride)),
        first_w(first(w_remainder, s.pad_left, s.stride)),
        rows(count(first_h, s.H, s.stride)),
        columns(count(first_w, s.W, s.stride)),
        first_r(h_remainder),
        first_s(w_remainder),
        taps_r(count(first_r, s.R, s.stride)),
        taps_s(count(first_s, s.S, s.stride)) {}

  // The least h >= 0 with (h + pad) % stride == remainder.
  static constexpr int first(int remainder, int pad, int stride) {
    return ((remainder - pad) % stride + stride) % stride;
  }
  static constexpr int count(int first, int extent, int stride) {
    return first >= extent ? 0 : (extent - first - 1) / stride + 1;
  }
};

}  // namespace duel
