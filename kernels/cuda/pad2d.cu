// Pictures with a margin (contract: kernels/pad2d.h). One thread makes one element of the result at a time, neighbours
// beside each other: forward it reads one element, backward those of the few places that took it. Bytes moved: those of
// both arrays.
#include "kernels/pad2d_places.h"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256;
#ifdef DUEL_EMULATED
constexpr std::int64_t kMostBlocks = 3;  // so that small arrays loop too
#else
constexpr std::int64_t kMostBlocks = 2048;
#endif

struct Pixel {
  int n, row, column, channel;
};

struct Pixels {
  Divider by_channels, by_columns, by_rows;

  __device__ __forceinline__ Pixel of(int element) const {
    const int pixel = by_channels.quotient(element), line = by_columns.quotient(pixel), n = by_rows.quotient(line);
    return {n, by_rows.remainder(line, n), by_columns.remainder(pixel, line), by_channels.remainder(element, pixel)};
  }
};

}  // namespace

// ---- kernels

template <class T>
__global__ void __launch_bounds__(kThreads)
    pad2d_kernel(const T* x,  // [N,H,W,C]
                 T* y,        // [N,H',W',C]
                 PadAxis rows, PadAxis columns, int channels, Pixels pixels, int count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t e = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; e < count; e += stride) {
    const Pixel at = pixels.of(static_cast<int>(e));
    const std::int64_t line = std::int64_t{at.n} * rows.extent + rows.source(at.row);
    y[e] = x[(line * columns.extent + columns.source(at.column)) * channels + at.channel];
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    pad2d_backward_kernel(const T* dy,  // [N,H',W',C]
                          T* dx,        // [N,H,W,C]
                          PadAxis rows, PadAxis columns, int channels, Pixels pixels, int count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t e = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; e < count; e += stride) {
    const Pixel at = pixels.of(static_cast<int>(e));
    float sum = 0;
    rows.each_use(at.row, [&](int h) {
      const T* const from = dy + (std::int64_t{at.n} * rows.padded() + h) * columns.padded() * channels + at.channel;
      columns.each_use(at.column, [&](int w) { sum += to_float(from[std::int64_t{w} * channels]); });
    });
    dx[e] = from_float<T>(sum);
  }
}

// ---- launchers

namespace {

Pixels pixels_of(const Shape& shape) {
  return {Divider(shape[3]), Divider(shape[2]), Divider(shape[1])};
}

}  // namespace

void pad2d(CudaContext& context, const Pad2d& p, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "pad2d", {blocks_for(y.count(), kThreads, 1, kMostBlocks), kThreads}, pad2d_kernel<T>,
           x.as<const T>(), y.as<T>(), pad_rows_of(p, x.shape), pad_columns_of(p, x.shape), x.shape[3],
           pixels_of(y.shape), static_cast<int>(y.count()));
  });
}

void pad2d_backward(CudaContext& context, const Pad2d& p, View dy, View dx) {
  with_float_type(dx.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "pad2d_backward", {blocks_for(dx.count(), kThreads, 1, kMostBlocks), kThreads},
           pad2d_backward_kernel<T>, dy.as<const T>(), dx.as<T>(), pad_rows_of(p, dx.shape),
           pad_columns_of(p, dx.shape), dx.shape[3], pixels_of(dx.shape), static_cast<int>(dx.count()));
  });
}

}  // namespace duel
