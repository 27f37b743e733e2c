// Batches of matrix products in f32 arithmetic (contract: kernels/batched_matmul.h).
//
// A block of 256 threads makes 64 x 64 elements of one product after the other, a thread 4 x 4 of them; what they are
// summed from comes through shared memory, 16 steps of k at a time. Bytes moved: a is read once for each 64 columns of
// y, b once for each 64 rows.
#include "kernels/batched_matmul.h"

#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256, kTile = 64, kDepth = 16, kOwn = 4;
constexpr int kRow = kTile + 4;                     // of shared memory
constexpr int kCopies = kTile * kDepth / kThreads;  // elements of a tile that a thread reads

// 64 outer indices by 16 steps of k of a matrix that lies [outer, k], or [k, outer] where AlongK is false; zero beyond
// its extents. Neighbouring threads read neighbours in memory.
template <bool AlongK, class T>
__device__ __forceinline__ void read_tile(const T* from, float* tile, int first, int first_k, int extent, int k) {
#pragma unroll
  for (int i = 0; i < kCopies; ++i) {
    const int thread = static_cast<int>(threadIdx.x);
    const int outer = AlongK ? thread / kDepth + i * (kThreads / kDepth) : thread % kTile;
    const int depth = AlongK ? thread % kDepth : thread / kTile + i * (kThreads / kTile);
    const bool is_inside = first + outer < extent && first_k + depth < k;
    const std::int64_t offset = AlongK ? std::int64_t{first + outer} * k + first_k + depth
                                       : std::int64_t{first_k + depth} * extent + first + outer;
    tile[depth * kRow + outer] = is_inside ? to_float(from[offset]) : 0.0F;
  }
}

}  // namespace

// ---- kernels

template <bool AAlongK, bool BAlongK, class T, class Out>
__global__ void __launch_bounds__(kThreads) batched_matmul_kernel(const T* a,  // [batch, m, k] or [batch, k, m]
                                                                  const T* b,  // [batch, n, k] or [batch, k, n]
                                                                  Out* y,      // [batch, m, n]
                                                                  int batch, int m, int n, int k) {
  DUEL_SHARED_ALIGNED(16, a_tile, float[kDepth * kRow]);
  DUEL_SHARED_ALIGNED(16, b_tile, float[kDepth * kRow]);
  const int first_m = static_cast<int>(blockIdx.x) * kTile, first_n = static_cast<int>(blockIdx.y) * kTile;
  const int own_m = static_cast<int>(threadIdx.x) / 16 * kOwn, own_n = static_cast<int>(threadIdx.x) % 16 * kOwn;
  for (int i = static_cast<int>(blockIdx.z); i < batch; i += static_cast<int>(gridDim.z)) {
    float sums[kOwn][kOwn] = {};
    for (int first_k = 0; first_k < k; first_k += kDepth) {
      read_tile<AAlongK>(a + std::int64_t{i} * m * k, a_tile, first_m, first_k, m, k);
      read_tile<BAlongK>(b + std::int64_t{i} * n * k, b_tile, first_n, first_k, n, k);
      __syncthreads();  // both tiles are there
#pragma unroll
      for (int depth = 0; depth < kDepth; ++depth) {
        const Vector<float> left = load_vector(a_tile + depth * kRow + own_m);
        const Vector<float> right = load_vector(b_tile + depth * kRow + own_n);
#pragma unroll
        for (int row = 0; row < kOwn; ++row) {
#pragma unroll
          for (int column = 0; column < kOwn; ++column) {
            sums[row][column] = fmaf(left.values[row], right.values[column], sums[row][column]);
          }
        }
      }
      __syncthreads();  // the next tiles take their place
    }
#pragma unroll
    for (int row = 0; row < kOwn; ++row) {
#pragma unroll
      for (int column = 0; column < kOwn; ++column) {
        const int y_row = first_m + own_m + row, y_column = first_n + own_n + column;
        if (y_row < m && y_column < n) {
          y[(std::int64_t{i} * m + y_row) * n + y_column] = from_float<Out>(sums[row][column]);
        }
      }
    }
  }
}

// ---- launchers

namespace {

template <bool AAlongK, bool BAlongK>
void multiply(CudaContext& context, View a, View b, View y, int k) {
  const int batch = y.shape[0], m = y.shape[1], n = y.shape[2];
  const auto tiles = [](int extent) { return static_cast<unsigned>((extent + kTile - 1) / kTile); };
  check(tiles(n) <= 65535, "batched_matmul: y is {}, but the CUDA backend takes at most {} columns", y, 65535 * kTile);
  const Launch shape{{tiles(m), tiles(n), static_cast<unsigned>(std::min(batch, 65535))}, kThreads};
  with_float_type(a.dtype, [&](auto in) {
    with_float_type(y.dtype, [&](auto out) {
      using T = decltype(in);
      using Out = decltype(out);
      launch(context, "batched_matmul", shape, batched_matmul_kernel<AAlongK, BAlongK, T, Out>, a.as<const T>(),
             b.as<const T>(), y.as<Out>(), batch, m, n, k);
    });
  });
}

}  // namespace

void prepare_batched_matmul(CudaContext&, const BatchedMatmul&, View, View, View) {}

void batched_matmul(CudaContext& context, const BatchedMatmul& p, View a, View b, View y) {
  const int k = a.shape[p.transpose_a ? 1 : 2];
  if (p.transpose_a) {
    p.transpose_b ? multiply<false, true>(context, a, b, y, k) : multiply<false, false>(context, a, b, y, k);
  } else {
    p.transpose_b ? multiply<true, true>(context, a, b, y, k) : multiply<true, false>(context, a, b, y, k);
  }
}

}  // namespace duel
