// Sums over groups of axes and the broadcasts (contract: kernels/reduce.h). The sums are those of row_sum.cuh (an array
// is one row) and column_sum.cuh; `all` and `each_column` are broadcast as maps over columns (pointwise.cuh), the
// former with a single one.
//
// spills: for sm_80 ptxas holds row_sum_kernel of f32 to 32 registers, with which eight blocks fit on a multiprocessor,
// and puts aside two words a thread. No other architecture does.
#include "kernels/reduce.h"

#include "kernels/cuda/column_sum.cuh"
#include "kernels/cuda/pointwise.cuh"
#include "kernels/cuda/row_sum.cuh"

namespace duel {

// ---- device helpers

namespace {

// The elements of a vector in f32 first, as pairs of pairs: the f64 that they are added to costs one operation each.
struct SumOfVector {
  template <class T, int Width>
  __device__ __forceinline__ double operator()(const Vector<T, Width>& x) const {
    float sums[Width];
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      sums[i] = to_float(x.values[i]);
    }
#pragma unroll
    for (int half = Width / 2; half > 0; half /= 2) {
#pragma unroll
      for (int i = 0; i < half; ++i) {
        sums[i] += sums[i + half];
      }
    }
    return static_cast<double>(sums[0]);
  }
};

struct Scaled {
  float scale;
  __device__ float operator()(double sum) const { return scale * static_cast<float>(sum); }
  __device__ float operator()(float x) const { return scale * x; }
};

}  // namespace

// ---- kernels

// One thread writes `Width` elements of one row at a time.
template <int Width, class T>
__global__ void __launch_bounds__(kMapThreads) broadcast_rows_kernel(const float* x,        // [rows]
                                                                     T* y,                  // [rows, length]
                                                                     std::int64_t vectors,  // of y, Width elements each
                                                                     std::int64_t length,   // a multiple of Width
                                                                     float scale) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads, row_vectors = length / Width;
  for (std::int64_t v = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; v < vectors; v += stride) {
    const T value = from_float<T>(scale * x[v / row_vectors]);
    Vector<T, Width> result;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      result.values[i] = value;
    }
    store_vector(y + v * Width, result);
  }
}

// ---- launchers

void reduce_sum(CudaContext& context, const Reduce& p, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = x.as<const T>();
    const std::int64_t rows = p.axes == Axes::each_row ? x.shape[0] : 1;
    if (p.axes == Axes::each_column) {
      sum_columns(context, "reduce_sum", ElementsOf<T>{from}, all_aligned(from), x.shape.outer_count(), x.shape.back(),
                  p.scale, y.as<float>());
    } else {
      sum_rows(context, "reduce_sum", from, rows, x.count() / rows, SumOfVector{}, Scaled{p.scale}, y.as<float>());
    }
  });
}

void broadcast(CudaContext& context, const Reduce& p, View x, View y) {
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    const auto* from = x.as<const float>();
    T* to = y.as<T>();
    if (p.axes != Axes::each_row) {
      map_columns(context, "broadcast", Scaled{p.scale}, from, x.shape[0], to, y.count());
      return;
    }
    const std::int64_t length = y.shape.row_count();
    const auto run = [&](auto width) {
      constexpr int kWidth = decltype(width)::value;
      const std::int64_t vectors = y.count() / kWidth;
      launch(context, "broadcast", {blocks_for(vectors, kMapThreads, 1, kMapBlocks), kMapThreads},
             broadcast_rows_kernel<kWidth, T>, from, to, vectors, length, p.scale);
    };
    if (all_aligned(to) && length % kPerVector<T> == 0) {
      run(std::integral_constant<int, kPerVector<T>>{});
    } else {
      run(std::integral_constant<int, 1>{});
    }
  });
}

}  // namespace duel
