// Matrix products in f32 arithmetic (product.cuh): D[m,n] = sum_k A(m,k) B(n,k), of any operands. 64 x 64 outputs a
// block, 8 x 4 a thread; the next step's tiles are read into registers while the present ones are multiplied.
#pragma once

#include "kernels/cuda/reach.cuh"
#include "kernels/cuda/split.cuh"

namespace duel {

inline constexpr int kTileSize = 64, kTileDepth = 16, kTileThreads = 128;

// The elements of a tile that one thread reads. Along k, 16 threads read a row of the tile; else 64 threads a column of
// it.
template <bool AlongK>
struct ReadLayout {
  static constexpr int kCopies = kTileSize * kTileDepth / kTileThreads;

  __device__ __forceinline__ static int outer(int i) {
    const int thread = static_cast<int>(threadIdx.x);
    return AlongK ? thread / kTileDepth + i * (kTileThreads / kTileDepth) : thread % kTileSize;
  }
  __device__ __forceinline__ static int k(int i) {
    const int thread = static_cast<int>(threadIdx.x);
    return AlongK ? thread % kTileDepth : thread / kTileSize + i * (kTileThreads / kTileSize);
  }
};

// These elements on their way from global memory to shared [kTileDepth][kTileSize + 4], one step after the other.
template <bool Walks, class Operand>
struct TileRead {
  using Layout = ReadLayout<Operand::kAlongK>;
  static constexpr int kRow = kTileSize + 4;

  Reach<Walks, Operand, Layout, kTileDepth> reach;
  float values[Layout::kCopies];

  __device__ __forceinline__ TileRead(const Operand& from, int first_outer, int first_k)
      : reach(from, first_outer, first_k) {}
  __device__ __forceinline__ void read() {
#pragma unroll
    for (int i = 0; i < Layout::kCopies; ++i) {
      const auto element = reach.at(i);
      values[i] = element.inside ? to_float(*element.from) : 0.0F;
    }
    reach.advance();
  }
  __device__ __forceinline__ void write(float* tile) const {
#pragma unroll
    for (int i = 0; i < Layout::kCopies; ++i) {
      tile[Layout::k(i) * kRow + Layout::outer(i)] = values[i];
    }
  }
};

template <bool Walks, class A, class B, class Rows>
__global__ void __launch_bounds__(kTileThreads, 3)
    tile_product_kernel(const A a, const B b, const Epilogue<Rows> epilogue, const int k_extent, const Split split) {
  constexpr int kRow = kTileSize + 4, kTileFloats = kTileDepth * kRow, kM = 8, kN = 4;
  DUEL_SHARED_ALIGNED(16, tiles, float[2][2][kTileFloats]);  // two steps of A and B

  const int first_m = static_cast<int>(blockIdx.x) * kTileSize, first_n = static_cast<int>(blockIdx.y) * kTileSize;
  const int first_k = static_cast<int>(blockIdx.z) * split.k_per_part;
  const int end_k = min(k_extent, first_k + split.k_per_part);
  const int steps = (max(end_k - first_k, 0) + kTileDepth - 1) / kTileDepth;
  TileRead<Walks, A> read_a(a, first_m, first_k);
  TileRead<Walks, B> read_b(b, first_n, first_k);
  const int thread_m = static_cast<int>(threadIdx.x) / 16 * kM, thread_n = static_cast<int>(threadIdx.x) % 16 * kN;
  float sums[kM * kN] = {};

  if (steps > 0) {  // a part begins and, but for the last, ends with a whole step
    read_a.read();
    read_b.read();
    read_a.write(tiles[0][0]);
    read_b.write(tiles[0][1]);
  }
  __syncthreads();  // the first tiles are there
  for (int step = 0; step < steps; ++step) {
    const bool has_next = step + 1 < steps;
    if (has_next) {
      read_a.read();
      read_b.read();
    }
#pragma unroll
    for (int k = 0; k < kTileDepth; ++k) {
      const Vector<float> a_low = load_vector(tiles[step % 2][0] + k * kRow + thread_m);
      const Vector<float> a_high = load_vector(tiles[step % 2][0] + k * kRow + thread_m + 4);
      const Vector<float> b_row = load_vector(tiles[step % 2][1] + k * kRow + thread_n);
#pragma unroll
      for (int m = 0; m < kM; ++m) {
        const float left = m < 4 ? a_low.values[m % 4] : a_high.values[m % 4];
#pragma unroll
        for (int n = 0; n < kN; ++n) {
          sums[m * kN + n] = fmaf(left, b_row.values[n], sums[m * kN + n]);
        }
      }
    }
    if (has_next) {  // into the other pair, which all warps have left at the barrier of the step before
      read_a.write(tiles[(step + 1) % 2][0]);
      read_b.write(tiles[(step + 1) % 2][1]);
    }
    __syncthreads();  // the next tiles are there
  }

  const auto each_pair = [&](auto store) {
#pragma unroll
    for (int m = 0; m < kM; ++m) {
#pragma unroll
      for (int n = 0; n < kN; n += 2) {
        store(first_m + thread_m + m, first_n + thread_n + n, sums[m * kN + n], sums[m * kN + n + 1]);
      }
    }
  };
  if (split.parts == 1) {
#pragma unroll
    for (int n = 0; n < kN; ++n) {
      const float bias = epilogue.bias_at(first_n + thread_n + n);
#pragma unroll
      for (int m = 0; m < kM; ++m) {
        sums[m * kN + n] += bias;
      }
    }
    each_pair([&](int m, int n, float first, float second) { epilogue.store_pair(m, n, first, second); });
  } else if (split.cluster == 1) {
    each_pair([&](int m, int n, float first, float second) {
      split.store_pair(epilogue.m, epilogue.n, m, n, first, second);
    });
  } else {
    float* const shared = tiles[0][0];  // which all warps have left at the last barrier
    static_assert(sizeof tiles >= sizeof(float) * kTileSize * kRow);
    each_pair([&](int m, int n, float first, float second) {
      *reinterpret_cast<float2*>(shared + (m - first_m) * kRow + n - first_n) = make_float2(first, second);
    });
    finish_in_clusters<kTileSize, kTileSize, kTileThreads>(split, epilogue, shared, kRow, first_m, first_n);
  }
}

// ---- launchers

template <class A, class B, class Rows>
void tile_product(CudaContext& context, const char* op, const A& a, const B& b, const Epilogue<Rows>& epilogue, int k) {
  const unsigned rows = static_cast<unsigned>((epilogue.m + kTileSize - 1) / kTileSize),
                 columns = static_cast<unsigned>((epilogue.n + kTileSize - 1) / kTileSize);
  const Split split = split_for(context, std::int64_t{rows} * columns, epilogue.m, epilogue.n, k, kTileDepth);
  Launch shape{{rows, columns, static_cast<unsigned>(split.parts)}, kTileThreads};
  shape.cluster.z = static_cast<unsigned>(split.cluster);
  if constexpr (!B::kStepsArePixels) {  // eight walks among pixels want more registers than a thread has left
    if (a.walks(kTileDepth) && b.walks(kTileDepth)) {
      launch(context, op, shape, tile_product_kernel<true, A, B, Rows>, a, b, epilogue, k, split);
      finish_split(context, op, split, epilogue);
      return;
    }
  }
  launch(context, op, shape, tile_product_kernel<false, A, B, Rows>, a, b, epilogue, k, split);
  finish_split(context, op, split, epilogue);
}

}  // namespace duel
