// Convolutions as products of matrices that are never written down (contract: kernels/conv2d.h):
//
//   forward          y[pixel, k]      = X(pixel, (r,s,c)) * w[k, (r,s,c)]
//   backward_input   dx[pixel, c]     = dY(pixel, (r,s,k)) * W(c, (r,s,k))      for each class of pixels
//   backward_weight  dw[k, (r,s,c)]   = dy(k, pixel) * X((r,s,c), pixel)
//
// operands.cuh defines X, dY and W, conv2d_shape.h the classes; product.cuh says who computes what. Pictures of few
// channels and groups have kernels of their own (conv2d_few_channels.h, conv2d_grouped.h).
//
// spills: ptxas holds two instances of tensor_product_kernel, 64 wide, to 72 registers (sm_100, TF32) and 64 (sm_120,
// bf16 weight gradient), with which seven and eight blocks fit on a multiprocessor, and puts aside two and four words a
// thread.
#include "kernels/cuda/conv2d_ours.h"

#include "kernels/cuda/conv2d_few_channels.h"
#include "kernels/cuda/conv2d_grouped.h"
#include "kernels/cuda/product.cuh"

namespace duel {

namespace {

// Indices of pixels and taps are ints; addresses are not.
void check_extents(const char* op, const ConvShape& s) {
  const std::int64_t largest = std::max({std::int64_t{s.N} * s.P * s.Q, std::int64_t{s.N} * s.H * s.W,
                                         std::int64_t{s.R} * s.S * s.C, std::int64_t{s.R} * s.S * s.K});
  check(largest < std::int64_t{1} << 31, "{}: {} pixels or taps, but the CUDA backend takes fewer than 2^31", op,
        largest);
}

}  // namespace

// ---- launchers

void conv2d_forward_ours(CudaContext& context, const Conv2d& p, const Activation& activation, View x, View w, View bias,
                         View y) {
  const ConvShape shape(p, x.shape, w.shape, y.shape);
  check_extents("conv2d_forward", shape);
  if (p.groups > 1) {
    conv2d_forward_grouped(context, shape, p.groups, activation, x, w, bias, y);
    return;
  }
  if (few_channels_fit(shape)) {
    conv2d_forward_few_channels(context, shape, activation, x, w, bias, y);
    return;
  }
  const int pixels = shape.N * shape.P * shape.Q, taps = shape.R * shape.S * shape.C;
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const Epilogue<PlainRows> epilogue({}, y, bias, activation, pixels, shape.K);
    product(context, "conv2d_forward", Patches<T, true>(x, shape), Matrix<T, true>(w, shape.K, taps), epilogue, taps);
  });
}

void conv2d_backward_input_ours(CudaContext& context, const Conv2d& p, View dy, View w, View dx) {
  const ConvShape shape(p, dx.shape, w.shape, dy.shape);
  check_extents("conv2d_backward_input", shape);
  if (p.groups > 1) {
    conv2d_backward_input_grouped(context, shape, p.groups, dy, w, dx);
    return;
  }
  if (few_channels_fit(shape)) {
    conv2d_backward_input_few_channels(context, shape, dy, w, dx);
    return;
  }
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    for (int h = 0; h < p.stride; ++h) {
      for (int v = 0; v < p.stride; ++v) {
        const GradientClass pixels(shape, h, v);
        const int m = shape.N * pixels.rows * pixels.columns, k = pixels.taps_r * pixels.taps_s * shape.K;
        if (m > 0) {
          const Epilogue<ClassRows> epilogue(ClassRows(shape, pixels), dx, View{}, Activation{}, m, shape.C);
          product(context, "conv2d_backward_input", GradientPatches<T>(dy, shape, pixels),
                  GradientFilter<T>(w, shape, pixels), epilogue, k);
        }
      }
    }
  });
}

void conv2d_backward_weight_ours(CudaContext& context, const Conv2d& p, View x, View dy, View dw) {
  const ConvShape shape(p, x.shape, dw.shape, dy.shape);
  check_extents("conv2d_backward_weight", shape);
  if (p.groups > 1) {
    conv2d_backward_weight_grouped(context, shape, p.groups, x, dy, dw);
    return;
  }
  if (few_channels_fit(shape)) {
    conv2d_backward_weight_few_channels(context, "conv2d_backward_weight", shape, {}, x, dy, View{}, View{}, dw,
                                        View{});
    return;
  }
  const int pixels = shape.N * shape.P * shape.Q, taps = shape.R * shape.S * shape.C;
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const Epilogue<PlainRows> epilogue({}, dw, View{}, Activation{}, shape.K, taps);
    product(context, "conv2d_backward_weight", Matrix<T, false>(dy, shape.K, pixels), Patches<T, false>(x, shape),
            epilogue, pixels);
  });
}

}  // namespace duel
