// Batch normalisation (contract: kernels/batch_norm.h). x is a matrix of M rows by C columns.
//
// A thread owns Width neighbouring columns: 16 bytes of a row where C and the pointers allow it, one element elsewhere.
// A block of 256 threads is `lanes` threads across and 256 / lanes rows down: it covers a tile of lanes * Width columns
// (blockIdx.x) and a range of rows (blockIdx.y), and neighbouring threads read neighbouring memory.
//
//   statistics_kernel, gradient_sums_kernel   each thread reduces its rows, kChunk at a time out of registers; the
//       block its threads, in a tree in shared memory; and the block that comes last of a tile all ranges of rows, in
//       order, out of the context's partial results. So the sums do not depend on the order of the blocks.
//   normalize_kernel, gradient_kernel         pointwise, with the columns' numbers in registers
//
// Moved: forward reads x twice and writes y; backward reads dy and x twice and writes dx.
#include "kernels/batch_norm.h"

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/device.cuh"

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 4;         // rows in registers at a time
constexpr int kMostBlocks = 256;  // that reduce: so many partial results are still quickly merged by one block

template <class T, int Width>
__device__ __forceinline__ void load_columns(const T* from, float (&to)[Width]) {
  const Vector<T, Width> vector = load_vector<T, Width>(from);
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    to[i] = to_float(vector.values[i]);
  }
}

template <class T, int Width>
__device__ __forceinline__ void store_columns(T* to, const float (&from)[Width]) {
  Vector<T, Width> vector;
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    vector.values[i] = from_float<T>(from[i]);
  }
  store_vector(to, vector);
}

// Where a thread stands: its first column (C or more: it has none) and its first row within the block.
struct Place {
  int column, row, rows_down;
};

template <int Width>
__device__ __forceinline__ Place place_of_thread(int lanes) {
  const int thread = static_cast<int>(threadIdx.x), tile = static_cast<int>(blockIdx.x);
  return {(tile * lanes + thread % lanes) * Width, thread / lanes, kThreads / lanes};
}

// The rows of range `index` of `count`.
__device__ __forceinline__ std::int64_t range_begin(std::int64_t rows, int index, int count) {
  return rows * index / count;
}

// What some rows of Width columns come to: two numbers per column, and how many rows there were.
template <int Width>
struct Columns {
  float rows = 0;
  float first[Width] = {}, second[Width] = {};
};

// first: mean; second: sum of squared deviations (Chan, Golub & LeVeque, 1983, eq. 1.3, for any two counts).
struct MergeMoments {
  template <int Width>
  static __device__ __forceinline__ void merge(Columns<Width>& into, const Columns<Width>& other) {
    const float rows = into.rows + other.rows;
    const float share = rows > 0.0F ? other.rows / rows : 0.0F;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      const float delta = other.first[i] - into.first[i];
      into.first[i] += delta * share;
      into.second[i] += other.second[i] + delta * delta * into.rows * share;
    }
    into.rows = rows;
  }
};

struct MergeSums {
  template <int Width>
  static __device__ __forceinline__ void merge(Columns<Width>& into, const Columns<Width>& other) {
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      into.first[i] += other.first[i];
      into.second[i] += other.second[i];
    }
  }
};

// Merges what the threads of one lane hold, into the lane's thread of row 0. All threads must call it.
template <class Merge, int Width>
__device__ __forceinline__ void merge_block(Columns<Width>& mine, int lanes) {
  DUEL_SHARED(rows, float[kThreads]);
  DUEL_SHARED(first, float[Width][kThreads]);
  DUEL_SHARED(second, float[Width][kThreads]);
  const int thread = static_cast<int>(threadIdx.x);
  const auto put = [&] {
    rows[thread] = mine.rows;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      first[i][thread] = mine.first[i];
      second[i][thread] = mine.second[i];
    }
  };
  __syncthreads();  // an earlier call's values may still be read
  put();
  for (int distance = kThreads / 2; distance >= lanes; distance /= 2) {
    __syncthreads();  // the upper half has been written
    if (thread < distance) {
      Columns<Width> other;
      other.rows = rows[thread + distance];
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        other.first[i] = first[i][thread + distance];
        other.second[i] = second[i][thread + distance];
      }
      Merge::merge(mine, other);
      put();
    }
  }
}

// Merges the threads of a block and the blocks of a tile. True in the threads that hold the tile's result afterwards.
// All threads must call it.
template <class Merge, int Width>
__device__ __forceinline__ bool merge_tile(Columns<Width>& mine, const Place& place, int lanes, std::int64_t M, int C,
                                           float* partials,      // [2, ranges, C]
                                           unsigned* tickets) {  // [tiles]
  merge_block<Merge>(mine, lanes);
  const int ranges = static_cast<int>(gridDim.y);
  const bool has_columns = place.column < C;
  if (ranges == 1) {
    return has_columns && place.row == 0;
  }
  float* const second = partials + std::int64_t{ranges} * C;
  if (has_columns && place.row == 0) {
    const std::int64_t at = std::int64_t{blockIdx.y} * C + place.column;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      partials[at + i] = mine.first[i];
      second[at + i] = mine.second[i];
    }
  }
  if (!is_last_block(tickets + blockIdx.x, gridDim.y)) {
    return false;
  }
  mine = {};
  if (has_columns) {
#pragma unroll 4
    for (int range = place.row; range < ranges; range += place.rows_down) {
      Columns<Width> other;
      other.rows = static_cast<float>(range_begin(M, range + 1, ranges) - range_begin(M, range, ranges));
      const std::int64_t at = std::int64_t{range} * C + place.column;
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        other.first[i] = partials[at + i];
        other.second[i] = second[at + i];
      }
      Merge::merge(mine, other);
    }
  }
  merge_block<Merge>(mine, lanes);
  return has_columns && place.row == 0;
}

}  // namespace

// ---- kernels

template <class T, int Width>
__global__ void __launch_bounds__(kThreads)
    batch_norm_statistics_kernel(const T* x,                // [M, C]
                                 float* mean, float* rstd,  // [C]
                                 std::int64_t M, int C, int lanes, float epsilon,
                                 float* partials,      // [2, gridDim.y, C]
                                 unsigned* tickets) {  // [gridDim.x]
  const Place place = place_of_thread<Width>(lanes);
  const int index = static_cast<int>(blockIdx.y), ranges = static_cast<int>(gridDim.y);
  const std::int64_t begin = range_begin(M, index, ranges), end = range_begin(M, index + 1, ranges);
  Columns<Width> sum;
  if (place.column < C) {
    for (std::int64_t row = begin + place.row; row < end; row += std::int64_t{kChunk} * place.rows_down) {
      float values[kChunk][Width] = {};
      int count = 0;
#pragma unroll
      for (int k = 0; k < kChunk; ++k) {
        const std::int64_t at = row + std::int64_t{k} * place.rows_down;
        if (at < end) {
          load_columns<T, Width>(x + at * C + place.column, values[k]);
          count = k + 1;
        }
      }
      Columns<Width> part;
      part.rows = static_cast<float>(count);
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        // From the first value on: equal values have exactly themselves as mean, however large.
        float differences = 0;
#pragma unroll
        for (int k = 1; k < kChunk; ++k) {
          differences += k < count ? values[k][i] - values[0][i] : 0.0F;
        }
        part.first[i] = values[0][i] + differences / part.rows;
#pragma unroll
        for (int k = 0; k < kChunk; ++k) {
          const float deviation = k < count ? values[k][i] - part.first[i] : 0.0F;
          part.second[i] += deviation * deviation;
        }
      }
      MergeMoments::merge(sum, part);
    }
  }
  if (merge_tile<MergeMoments>(sum, place, lanes, M, C, partials, tickets)) {
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      mean[place.column + i] = sum.first[i];
      rstd[place.column + i] = 1.0F / sqrtf(sum.second[i] / static_cast<float>(M) + epsilon);
    }
  }
}

// `spread` is rstd, or where the statistics are given (`from_variance`), the variance.
template <class T, int Width, class Act>
__global__ void __launch_bounds__(kThreads)
    batch_norm_normalize_kernel(const T* x,                              // [M, C]
                                const float* gamma, const float* beta,   // [C]
                                const float* mean, const float* spread,  // [C]
                                T* y,                                    // [M, C], may be x
                                std::int64_t M, int C, int lanes, Act act, bool from_variance, float epsilon) {
  const Place place = place_of_thread<Width>(lanes);
  if (place.column >= C) {
    return;  // no barrier follows
  }
  float scale[Width], centre[Width], shift[Width];
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    const int c = place.column + i;
    scale[i] = gamma[c] * (from_variance ? 1.0F / sqrtf(spread[c] + epsilon) : spread[c]);
    centre[i] = mean[c];
    shift[i] = beta[c];
  }
  const std::int64_t stride = std::int64_t{gridDim.y} * place.rows_down;
  for (std::int64_t row = std::int64_t{blockIdx.y} * place.rows_down + place.row; row < M; row += stride) {
    const std::int64_t at = row * C + place.column;
    float values[Width];
    load_columns<T, Width>(x + at, values);
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      values[i] = act((values[i] - centre[i]) * scale[i] + shift[i]);
    }
    store_columns<T, Width>(y + at, values);
  }
}

template <class T, int Width>
__global__ void __launch_bounds__(kThreads)
    batch_norm_gradient_sums_kernel(const T* dy, const T* x,               // [M, C]
                                    const float* mean, const float* rstd,  // [C]
                                    float* dgamma, float* dbeta,           // [C]
                                    std::int64_t M, int C, int lanes,
                                    float* partials,      // [2, gridDim.y, C]
                                    unsigned* tickets) {  // [gridDim.x]
  const Place place = place_of_thread<Width>(lanes);
  const int index = static_cast<int>(blockIdx.y), ranges = static_cast<int>(gridDim.y);
  const std::int64_t begin = range_begin(M, index, ranges), end = range_begin(M, index + 1, ranges);
  Columns<Width> sum;  // first: of dy (x - mean); second: of dy
  if (place.column < C) {
    float centre[Width];
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      centre[i] = mean[place.column + i];
    }
    for (std::int64_t row = begin + place.row; row < end; row += std::int64_t{kChunk} * place.rows_down) {
      Columns<Width> part;  // summed apart: long sums keep their small terms
#pragma unroll
      for (int k = 0; k < kChunk; ++k) {
        const std::int64_t at = row + std::int64_t{k} * place.rows_down;
        if (at < end) {
          float gradients[Width], values[Width];
          load_columns<T, Width>(dy + at * C + place.column, gradients);
          load_columns<T, Width>(x + at * C + place.column, values);
#pragma unroll
          for (int i = 0; i < Width; ++i) {
            part.first[i] += gradients[i] * (values[i] - centre[i]);
            part.second[i] += gradients[i];
          }
        }
      }
      MergeSums::merge(sum, part);
    }
  }
  if (merge_tile<MergeSums>(sum, place, lanes, M, C, partials, tickets)) {
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      dgamma[place.column + i] = sum.first[i] * rstd[place.column + i];
      dbeta[place.column + i] = sum.second[i];
    }
  }
}

template <class T, int Width>
__global__ void __launch_bounds__(kThreads)
    batch_norm_gradient_kernel(const T* dy, const T* x,                                   // [M, C]
                               const float* gamma, const float* mean, const float* rstd,  // [C]
                               const float* dgamma, const float* dbeta,                   // [C]
                               T* dx,                                                     // [M, C], may be dy or x
                               std::int64_t M, int C, int lanes) {
  const Place place = place_of_thread<Width>(lanes);
  if (place.column >= C) {
    return;  // no barrier follows
  }
  const float share = 1.0F / static_cast<float>(M);
  float scale[Width], centre[Width], slope[Width], shift[Width];
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    const int c = place.column + i;
    scale[i] = gamma[c] * rstd[c];
    centre[i] = mean[c];
    slope[i] = rstd[c] * (share * dgamma[c]);
    shift[i] = share * dbeta[c];
  }
  const std::int64_t stride = std::int64_t{gridDim.y} * place.rows_down;
  for (std::int64_t row = std::int64_t{blockIdx.y} * place.rows_down + place.row; row < M; row += stride) {
    const std::int64_t at = row * C + place.column;
    float gradients[Width], values[Width];
    load_columns<T, Width>(dy + at, gradients);
    load_columns<T, Width>(x + at, values);
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      gradients[i] = scale[i] * (gradients[i] - shift[i] - (values[i] - centre[i]) * slope[i]);
    }
    store_columns<T, Width>(dx + at, gradients);
  }
}

__global__ void __launch_bounds__(kThreads)
    batch_norm_track_kernel(const float* mean, const float* rstd,          // [C]
                            float* running_mean, float* running_variance,  // [C]
                            int C, float momentum, float epsilon, float unbiased) {
  const int stride = static_cast<int>(gridDim.x) * kThreads;
  for (int c = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x); c < C; c += stride) {
    const float variance = 1.0F / (rstd[c] * rstd[c]) - epsilon;
    running_mean[c] += momentum * (mean[c] - running_mean[c]);
    running_variance[c] += momentum * (unbiased * (variance < 0.0F ? 0.0F : variance) - running_variance[c]);
  }
}

// ---- launchers

namespace {

// How blocks lie over M rows of C columns, `width` columns to a thread.
struct Tiling {
  Tiling(std::int64_t rows, int columns, int width) : M(rows), C(columns) {
    while (lanes < 32 && lanes * width < C) {
      lanes *= 2;
    }
    tiles = (C + lanes * width - 1) / (lanes * width);
    rows_down = kThreads / lanes;
  }

  // Ranges of rows of a reduction: enough to fill a GPU, but every thread a chunk. One, where tiles alone fill it.
  dim3 reducing(const CudaContext& context) const {
    const std::int64_t chunks = (M + kChunk * rows_down - 1) / (kChunk * rows_down);
    const std::int64_t ranges =
        std::min<std::int64_t>(std::min(kMostBlocks, 2 * context.multiprocessors()) / tiles, chunks);
    return {static_cast<unsigned>(tiles), static_cast<unsigned>(std::max<std::int64_t>(ranges, 1)), 1};
  }
  dim3 pointwise() const { return {static_cast<unsigned>(tiles), blocks_for(M, rows_down, kChunk), 1}; }

  std::int64_t M;
  int C, lanes = 1, tiles = 1, rows_down = 1;
};
// One ticket a tile, and only where there are several ranges; two floats a column and range.
static_assert(kMostBlocks <= CudaContext::kTickets);
static_assert(std::size_t{kMostBlocks} * 32 * 8 * 2 * sizeof(float) <= CudaContext::kPartialBytes);

// Calls call(element, width): the type of the elements, and how many columns a thread takes as a constant.
template <class Call, class... Pointers>
void with_width(DType dtype, int columns, const Call& call, Pointers... pointers) {
  with_float_type(dtype, [&](auto element) {
    constexpr int kWidth = kPerVector<decltype(element)>;
    if (columns % kWidth == 0 && all_aligned(pointers...)) {
      call(element, std::integral_constant<int, kWidth>{});
    } else {
      call(element, std::integral_constant<int, 1>{});
    }
  });
}

void normalize(CudaContext& context, const char* op, const BatchNorm& p, View x, View gamma, View beta, View mean,
               View spread, bool from_variance, View y) {
  with_activation(p.activation, [&](auto act) {
    with_width(
        x.dtype, x.shape.back(),
        [&](auto element, auto width) {
          using T = decltype(element);
          constexpr int kWidth = decltype(width)::value;
          const Tiling t(x.shape.outer_count(), x.shape.back(), kWidth);
          launch(context, op, {t.pointwise(), kThreads}, batch_norm_normalize_kernel<T, kWidth, decltype(act)>,
                 x.as<const T>(), gamma.as<const float>(), beta.as<const float>(), mean.as<const float>(),
                 spread.as<const float>(), y.as<T>(), t.M, t.C, t.lanes, act, from_variance, p.epsilon);
        },
        x.data, y.data);
  });
}

}  // namespace

void batch_norm_forward(CudaContext& context, const BatchNorm& p, View x, View gamma, View beta, View y, View mean,
                        View rstd) {
  with_width(
      x.dtype, x.shape.back(),
      [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int kWidth = decltype(width)::value;
        const Tiling t(x.shape.outer_count(), x.shape.back(), kWidth);
        launch(context, "batch_norm_forward", {t.reducing(context), kThreads}, batch_norm_statistics_kernel<T, kWidth>,
               x.as<const T>(), mean.as<float>(), rstd.as<float>(), t.M, t.C, t.lanes, p.epsilon,
               static_cast<float*>(context.partials()), context.tickets());
      },
      x.data);
  normalize(context, "batch_norm_forward", p, x, gamma, beta, mean, rstd, false, y);
}

void batch_norm_inference(CudaContext& context, const BatchNorm& p, View x, View gamma, View beta, View mean,
                          View variance, View y) {
  normalize(context, "batch_norm_inference", p, x, gamma, beta, mean, variance, true, y);
}

void batch_norm_backward(CudaContext& context, View dy, View x, View gamma, View mean, View rstd, View dx, View dgamma,
                         View dbeta) {
  with_width(
      x.dtype, x.shape.back(),
      [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int kWidth = decltype(width)::value;
        const Tiling t(x.shape.outer_count(), x.shape.back(), kWidth);
        launch(context, "batch_norm_backward", {t.reducing(context), kThreads},
               batch_norm_gradient_sums_kernel<T, kWidth>, dy.as<const T>(), x.as<const T>(), mean.as<const float>(),
               rstd.as<const float>(), dgamma.as<float>(), dbeta.as<float>(), t.M, t.C, t.lanes,
               static_cast<float*>(context.partials()), context.tickets());
        launch(context, "batch_norm_backward", {t.pointwise(), kThreads}, batch_norm_gradient_kernel<T, kWidth>,
               dy.as<const T>(), x.as<const T>(), gamma.as<const float>(), mean.as<const float>(),
               rstd.as<const float>(), dgamma.as<const float>(), dbeta.as<const float>(), dx.as<T>(), t.M, t.C,
               t.lanes);
      },
      dy.data, x.data, dx.data);
}

void batch_norm_track(CudaContext& context, const BatchNormTrack& p, View mean, View rstd,
                      const BatchNormState& state) {
  const int columns = mean.shape[0];
  const auto unbiased = static_cast<float>(static_cast<double>(p.rows) / static_cast<double>(p.rows - 1));
  launch(context, "batch_norm_track", {blocks_for(columns, kThreads), kThreads}, batch_norm_track_kernel,
         mean.as<const float>(), rstd.as<const float>(), state.running_mean.as<float>(),
         state.running_variance.as<float>(), columns, p.momentum, p.epsilon, unbiased);
}

}  // namespace duel
