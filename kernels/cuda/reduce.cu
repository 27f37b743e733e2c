// Sums over groups of axes and the broadcasts (contract: kernels/reduce.h). The sums are those of row_sum.cuh (an array
// is one row) and column_sum.cuh; `all` and `each_column` are broadcast as maps over columns (pointwise.cuh), the
// former with a single one. The sums of each_row_and_column are a block's each, of a tile of at most 32 vectors of
// columns: every lane of tile_width threads takes every lanes-th row, and the lanes are added as a tree.
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

// y[n,c] = scale * sum over p of x[n,p,c]. Block n * tiles + tile.
template <int Width, class T>
__global__ void __launch_bounds__(kColumnSumThreads)
    matrix_sum_kernel(const T* x,  // [N, rows, columns]; gridDim.x is N * tiles
                      float* y,    // [N, columns]
                      std::int64_t rows, int columns, unsigned tiles, int tile_width, float scale) {
  DUEL_SHARED_ALIGNED(16, exchange, float[kColumnSumThreads * Width]);
  const int thread = static_cast<int>(threadIdx.x), lanes = kColumnSumThreads / tile_width;
  const int lane = thread / tile_width;
  const unsigned n = blockIdx.x / tiles, tile = blockIdx.x % tiles;
  const int column = (static_cast<int>(tile) * tile_width + thread % tile_width) * Width;
  const bool is_used = lane < lanes && column < columns;
  const T* from = x + std::int64_t{n} * rows * columns + column;
  float sums[Width] = {};
  if (is_used) {
#pragma unroll 4
    for (std::int64_t row = lane; row < rows; row += lanes) {
      const auto loaded = load_vector<T, Width>(from + row * columns);
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        sums[i] += to_float(loaded.values[i]);
      }
    }
  }
  sum_lanes<Width>(sums, lanes, tile_width, exchange);
  if (is_used && lane == 0) {
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      y[std::int64_t{n} * columns + column + i] = scale * sums[i];
    }
  }
}

// One thread writes `Width` elements of one row at a time.
template <int Width, class T>
__global__ void __launch_bounds__(kMapThreads)
    broadcast_matrix_kernel(const float* x,                             // [N, columns]
                            T* y,                                       // [N, ..., columns]
                            std::int64_t vectors,                       // of y, Width elements each
                            std::int64_t length, std::int64_t columns,  // of y[n], and of a row: multiples of Width
                            float scale) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t v = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; v < vectors; v += stride) {
    const float* values = x + v * Width / length * columns + v * Width % columns;
    Vector<T, Width> result;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      result.values[i] = from_float<T>(scale * values[i]);
    }
    store_vector(y + v * Width, result);
  }
}

// ---- launchers

namespace {

// Calls run with the vector's width that rows of `columns` elements at `pointer` allow.
template <class T, class Run>
void with_width(const T* pointer, std::int64_t columns, const Run& run) {
  if (all_aligned(pointer) && columns % kPerVector<T> == 0) {
    run(std::integral_constant<int, kPerVector<T>>{});
  } else {
    run(std::integral_constant<int, 1>{});
  }
}

template <class T>
void sum_each_matrix(CudaContext& context, const T* x, const Shape& shape, float scale, float* y) {
  const int columns = shape.back();
  with_width(x, columns, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    const int vectors = columns / kWidth, tile_width = std::min(vectors, 32);
    const auto tiles = static_cast<unsigned>((vectors + tile_width - 1) / tile_width);
    launch(context, "reduce_sum", {static_cast<unsigned>(shape[0]) * tiles, kColumnSumThreads},
           matrix_sum_kernel<kWidth, T>, x, y, shape.row_count() / columns, columns, tiles, tile_width, scale);
  });
}

}  // namespace

void reduce_sum(CudaContext& context, const Reduce& p, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = x.as<const T>();
    const std::int64_t rows = p.axes == Axes::each_row ? x.shape[0] : 1;
    if (p.axes == Axes::each_row_and_column) {
      sum_each_matrix(context, from, x.shape, p.scale, y.as<float>());
    } else if (p.axes == Axes::each_column) {
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
    const std::int64_t length = y.shape.row_count(), columns = y.shape.back();
    const auto shape_of = [](std::int64_t vectors) {
      return Launch{blocks_for(vectors, kMapThreads, 1, kMapBlocks), kMapThreads};
    };
    if (p.axes == Axes::each_row_and_column) {
      with_width(to, columns, [&](auto width) {
        constexpr int kWidth = decltype(width)::value;
        const std::int64_t vectors = y.count() / kWidth;
        launch(context, "broadcast", shape_of(vectors), broadcast_matrix_kernel<kWidth, T>, from, to, vectors, length,
               columns, p.scale);
      });
    } else if (p.axes == Axes::each_row) {
      with_width(to, length, [&](auto width) {
        constexpr int kWidth = decltype(width)::value;
        const std::int64_t vectors = y.count() / kWidth;
        launch(context, "broadcast", shape_of(vectors), broadcast_rows_kernel<kWidth, T>, from, to, vectors, length,
               p.scale);
      });
    } else {
      map_columns(context, "broadcast", Scaled{p.scale}, from, x.shape[0], to, y.count());
    }
  });
}

}  // namespace duel
