// Two-dimensional convolution (cross-correlation, as everywhere in deep learning) and its two derivatives.
//
//   forward           y[n,p,q,k] = act( sum_{r,s,c} x[n,h,w,c] w[k,r,s,c] + b[k] )
//   backward_input   dx[n,h,w,c] = sum_{p,q,r,s,k} dy[n,p,q,k] w[k,r,s,c]
//   backward_weight  dw[k,r,s,c] = sum_{n,p,q} dy[n,p,q,k] x[n,h,w,c]
//
// everywhere with h = p*stride + r - pad_top and w = q*stride + s - pad_left. In `groups` of channels the filters of a
// group see its channels alone: c runs over those of k's group, and w is [K,R,S,C/groups]; C groups are depthwise.
//
// x, dx [N,H,W,C]; w, dw [K,R,S,C]; y, dy [N,P,Q,K]; b f32 [K], or a View without a shape for none. Outside x is zero.
// f32, or bf16 inputs with f32 sums; y and dx have the type of their inputs or f32, dw is f32. Outputs are
// overwritten and may not overlap an input. The same call gives the same bytes on the same device and threads.
//
// The three are each other's derivatives (each is linear in both arrays), so the set is closed.
// backward_input is the transposed convolution of generators (Dumoulin & Visin, 2016, chapter 4).
#pragma once

#include "kernels/activation.h"
#include "kernels/context.h"
#include "kernels/cost.h"
#include "kernels/tensor.h"

namespace duel {

struct Conv2d {
  int stride = 1;
  int pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  int groups = 1;  // divides C and K

  // Padding that keeps H and W at stride 1, for an odd filter extent.
  static Conv2d same(int filter, int groups = 1) {
    const int pad = (filter - 1) / 2;
    return {1, pad, pad, pad, pad, groups};
  }
};

// As in matmul.h: builds what the call needs; the views need no data.
void prepare_conv2d_forward(Context&, const Conv2d&, const Activation&, View x, View w, View bias, View y);
void prepare_conv2d_backward_input(Context&, const Conv2d&, View dy, View w, View dx);
void prepare_conv2d_backward_weight(Context&, const Conv2d&, View x, View dy, View dw);

void conv2d_forward(Context&, const Conv2d&, const Activation&, View x, View w, View bias, View y);
void conv2d_backward_input(Context&, const Conv2d&, View dy, View w, View dx);
void conv2d_backward_weight(Context&, const Conv2d&, View x, View dy, View dw);

Shape conv2d_output(const Conv2d&, const Shape& x, const Shape& w);
Cost conv2d_cost(const Conv2d&, View x, View w, View y);  // of any of the three: they do the same products

}  // namespace duel
