// Pictures through a filter of few taps (contract: kernels/resample2d.h). One thread makes one element of the result at
// a time, neighbouring threads neighbouring channels; a pixel's taps are read from the caches, which hold the few rows
// that a block reads. Bytes moved: those of the arrays, as far as the caches do not help more for each tap.
#include "kernels/resample2d.h"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kResampleThreads = 256;

// ---- kernels

template <class T>
__global__ void __launch_bounds__(kResampleThreads)
    resample2d_kernel(const Resample2d p,
                      const T* x,  // [N,H,W,C]
                      T* y,        // [N,P,Q,C]
                      int height, int width, int channels, Divider by_channels, Divider by_columns, Divider by_rows,
                      std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kResampleThreads;
  for (std::int64_t e = std::int64_t{blockIdx.x} * kResampleThreads + threadIdx.x; e < count; e += stride) {
    const int pixel = by_channels.quotient(static_cast<int>(e)),
              channel = by_channels.remainder(static_cast<int>(e), pixel);
    const int line = by_columns.quotient(pixel), column = by_columns.remainder(pixel, line);
    const int n = by_rows.quotient(line), row = by_rows.remainder(line, n);
    const int first_h = row * p.down - p.pad, first_w = column * p.down - p.pad;
    float sum = 0;
    for (int t = 0; t < p.count; ++t) {
      const int h = (first_h + t) / p.up;
      if (first_h + t < 0 || h * p.up != first_h + t || h >= height) {
        continue;
      }
      const T* const from = x + (std::int64_t{n} * height + h) * width * channels + channel;
      float of_row = 0;
      for (int u = 0; u < p.count; ++u) {
        const int w = (first_w + u) / p.up;
        if (first_w + u >= 0 && w * p.up == first_w + u && w < width) {
          of_row = fmaf(p.taps[u], to_float(from[std::int64_t{w} * channels]), of_row);
        }
      }
      sum = fmaf(p.taps[t], of_row, sum);
    }
    y[e] = from_float<T>(sum);
  }
}

// ---- launchers

void prepare_resample2d(CudaContext&, const Resample2d&, View, View) {}

void resample2d(CudaContext& context, const Resample2d& p, View x, View y) {
  const std::int64_t count = y.count();
  check(count < std::int64_t{1} << 31,
        "resample2d: y {} has 2^31 elements or more, which the CUDA backend does not take", y);
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "resample2d", {blocks_for(count, kResampleThreads, 2), kResampleThreads}, resample2d_kernel<T>, p,
           x.as<const T>(), y.as<T>(), x.shape[1], x.shape[2], x.shape[3], Divider(x.shape[3]), Divider(y.shape[2]),
           Divider(y.shape[1]), count);
  });
}

}  // namespace duel
