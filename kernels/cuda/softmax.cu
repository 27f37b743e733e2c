// The softmax over rows and its derivative (contract: kernels/softmax.h). A warp takes a row at a time, a lane every
// 32nd of its elements, which it alone reads and writes: so a row may be written where it is read. Each pass over a row
// reads it again: one of a few thousand elements lies in the first cache.
#include "kernels/softmax.h"

#include "kernels/cuda/device.cuh"

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
#ifdef DUEL_EMULATED
constexpr std::int64_t kMostBlocks = 3;  // so that small arrays loop too
#else
constexpr std::int64_t kMostBlocks = 2048;
#endif

__device__ __forceinline__ float largest_of_warp(float value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    const float other = __shfl_xor_sync(kFullWarp, value, distance);
    value = other > value ? other : value;
  }
  return value;
}

}  // namespace

// ---- kernels

template <class T>
__global__ void __launch_bounds__(kThreads) softmax_kernel(const T* x,  // [rows, columns]
                                                           T* y,        // [rows, columns], may be x
                                                           std::int64_t rows, int columns) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t stride = std::int64_t{gridDim.x} * kWarps;
  for (std::int64_t row = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32; row < rows; row += stride) {
    const T* const from = x + row * columns;
    T* const to = y + row * columns;
    float largest = -INFINITY;
    for (int c = lane; c < columns; c += 32) {
      const float value = to_float(from[c]);
      largest = value > largest ? value : largest;
    }
    largest = largest_of_warp(largest);
    float sum = 0;
    for (int c = lane; c < columns; c += 32) {
      sum += expf(to_float(from[c]) - largest);
    }
    const float share = 1.0F / warp_sum(sum);
    for (int c = lane; c < columns; c += 32) {
      to[c] = from_float<T>(share * expf(to_float(from[c]) - largest));
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) softmax_backward_kernel(const T* dy,  // [rows, columns]
                                                                    const T* y,   // [rows, columns]
                                                                    T* dx,        // [rows, columns], may be dy or y
                                                                    std::int64_t rows, int columns) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t stride = std::int64_t{gridDim.x} * kWarps;
  for (std::int64_t row = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32; row < rows; row += stride) {
    const std::int64_t first = row * columns;
    float sum = 0;
    for (int c = lane; c < columns; c += 32) {
      sum = fmaf(to_float(dy[first + c]), to_float(y[first + c]), sum);
    }
    sum = warp_sum(sum);
    for (int c = lane; c < columns; c += 32) {
      dx[first + c] = from_float<T>(to_float(y[first + c]) * (to_float(dy[first + c]) - sum));
    }
  }
}

// ---- launchers

void softmax(CudaContext& context, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const std::int64_t rows = x.shape.outer_count();
    launch(context, "softmax", {blocks_for(rows, kWarps, 1, kMostBlocks), kThreads}, softmax_kernel<T>, x.as<const T>(),
           y.as<T>(), rows, x.shape.back());
  });
}

void softmax_backward(CudaContext& context, View dy, View y, View dx) {
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    const std::int64_t rows = y.shape.outer_count();
    launch(context, "softmax_backward", {blocks_for(rows, kWarps, 1, kMostBlocks), kThreads},
           softmax_backward_kernel<T>, dy.as<const T>(), y.as<const T>(), dx.as<T>(), rows, y.shape.back());
  });
}

}  // namespace duel
