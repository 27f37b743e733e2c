// Matrix products on tensor cores (product.cuh): D[m,n] = sum_k A(m,k) B(n,k), bf16 or TF32, of operands that are
// `vectorised` or at least `paired`.
//
// A block computes a tile of Rows x Columns outputs, its warps a grid of 32 x 32 each (32 x 64 in the widest tile).
// Tiles of A and B of 64 bytes of k come by asynchronous copies of 16 bytes (of 4, where no more lies together),
// kStages deep, so that loads run while products do. Rows of pictures' patches overlap from tap to tap, and come by way
// of the first cache.
#pragma once

#include "kernels/cuda/reach.cuh"
#include "kernels/cuda/split.cuh"
#include "kernels/cuda/tensor_core.cuh"

namespace duel {

template <class T, int Rows, int Columns>
struct TensorTile {
  static constexpr int kStages = 3;
  static constexpr int kDepth = 64 / static_cast<int>(sizeof(T));  // k of one tile: 64 bytes
  static constexpr int kWarpRows = Rows / 32, kWarpColumns = Columns >= 64 ? 2 : 1;
  static constexpr int kThreads = 32 * kWarpRows * kWarpColumns;
  static constexpr int kColumns = Columns / kWarpColumns;  // of a warp
};

// The vectors of a tile of `Outer` rows that one of `Threads` threads copies.
template <class Operand, int Outer, int Depth, int Threads, int Bytes>
struct CopyLayout {
  using T = typename Operand::Element;
  static constexpr bool kAlongK = Operand::kAlongK;
  using Shared = Tile<T, kAlongK, Outer, Depth>;
  static constexpr int kElements = Bytes / static_cast<int>(sizeof(T));  // of a vector
  static constexpr int kPerRow = (kAlongK ? Depth : Outer) / kElements;
  static constexpr int kRows = Threads / kPerRow;                      // that the block copies at once
  static constexpr int kCopies = Outer * Depth / kElements / Threads;  // of one thread
  static_assert(Threads % kPerRow == 0 && Outer * Depth / kElements % Threads == 0);

  __device__ __forceinline__ static int row(int i) { return static_cast<int>(threadIdx.x) / kPerRow + i * kRows; }
  __device__ __forceinline__ static int column() { return static_cast<int>(threadIdx.x) % kPerRow * kElements; }
  __device__ __forceinline__ static int outer(int i) { return kAlongK ? row(i) : column(); }
  __device__ __forceinline__ static int k(int i) { return kAlongK ? column() : row(i); }
};

// Copies a thread's vectors of one step's tile after the other's.
template <bool Walks, class Operand, int Outer, int Depth, int Threads, int Bytes>
struct TileCopy {
  using Layout = CopyLayout<Operand, Outer, Depth, Threads, Bytes>;
  using Shared = typename Layout::Shared;
  using T = typename Operand::Element;

  Reach<Walks, Operand, Layout, Depth> reach;

  __device__ __forceinline__ TileCopy(const Operand& operand, int first_outer, int first_k)
      : reach(operand, first_outer, first_k) {}
  // Starts the copies of the present step's tile, and goes to the next step.
  __device__ __forceinline__ void start(T* tile) {
#pragma unroll
    for (int i = 0; i < Layout::kCopies; ++i) {
      const Element<T> element = reach.at(i);  // outside: the copy reads nothing and writes zeros
      copy_async<Bytes, Bytes == 4 || Operand::kOverlaps>(tile + Shared::offset(Layout::outer(i), Layout::k(i)),
                                                          element.from, element.inside ? Bytes : 0);
    }
    reach.advance();
  }
};

template <bool Walks, int TileRows, int TileColumns, int Bytes, class A, class B, class Rows>
__global__ void __launch_bounds__(TensorTile<typename A::Element, TileRows, TileColumns>::kThreads)
    tensor_product_kernel(const A a, const B b, const Epilogue<Rows> epilogue, const int k_extent, const Split split) {
  using T = typename A::Element;
  using Config = TensorTile<T, TileRows, TileColumns>;
  using CopyA = TileCopy<Walks, A, TileRows, Config::kDepth, Config::kThreads, Bytes>;
  using CopyB = TileCopy<Walks, B, TileColumns, Config::kDepth, Config::kThreads, Bytes>;
  using TileA = typename CopyA::Shared;
  using TileB = typename CopyB::Shared;
  constexpr int kStages = Config::kStages, kStage = TileA::kElements + TileB::kElements;
  constexpr int kFragmentsA = 2, kFragmentsB = Config::kColumns / 8;
  DUEL_DYNAMIC_SHARED(T, tiles);  // [kStages][TileA, TileB]

  const int first_m = static_cast<int>(blockIdx.x) * TileRows, first_n = static_cast<int>(blockIdx.y) * TileColumns;
  const int first_k = static_cast<int>(blockIdx.z) * split.k_per_part;
  const int end_k = min(k_extent, first_k + split.k_per_part);
  const int steps = (max(end_k - first_k, 0) + Config::kDepth - 1) / Config::kDepth;
  CopyA copy_a(a, first_m, first_k);
  CopyB copy_b(b, first_n, first_k);
  const auto start = [&](int step) {
    if (step < steps) {
      T* stage = tiles + step % kStages * kStage;
      copy_a.start(stage);
      copy_b.start(stage + TileA::kElements);
    }
    copy_commit();  // an empty group too: the waits below count groups
  };

  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int warp_m = warp / Config::kWarpColumns * 32, warp_n = warp % Config::kWarpColumns * Config::kColumns;
  float sums[kFragmentsA * kFragmentsB * 4] = {};

#pragma unroll
  for (int step = 0; step < kStages - 1; ++step) {
    start(step);
  }
  for (int step = 0; step < steps; ++step) {
    copy_wait<kStages - 2>();
    __syncthreads();  // this step's tiles are there for all; and no warp still reads those that are overwritten next
    start(step + kStages - 1);
    const T* tile_a = tiles + step % kStages * kStage;
    const T* tile_b = tile_a + TileA::kElements;
#pragma unroll
    for (int k = 0; k < Config::kDepth; k += TensorCore<T>::kDepth) {
      std::uint32_t fragments_a[kFragmentsA][4], fragments_b[kFragmentsB][2];
#pragma unroll
      for (int i = 0; i < kFragmentsA; ++i) {
        TensorCore<T>::template load_a<TileA, A::kAlongK>(fragments_a[i], tile_a, warp_m + 16 * i, k);
      }
#pragma unroll
      for (int j = 0; j < kFragmentsB; j += 2) {
        std::uint32_t pair[2][2];
        TensorCore<T>::template load_b<TileB, B::kAlongK>(pair, tile_b, warp_n + 8 * j, k);
#pragma unroll
        for (int r = 0; r < 4; ++r) {
          fragments_b[j + r / 2][r % 2] = pair[r / 2][r % 2];
        }
      }
#pragma unroll
      for (int i = 0; i < kFragmentsA; ++i) {
#pragma unroll
        for (int j = 0; j < kFragmentsB; ++j) {
          float(&d)[4] = *reinterpret_cast<float(*)[4]>(sums + (i * kFragmentsB + j) * 4);
          TensorCore<T>::multiply(d, fragments_a[i], fragments_b[j]);
        }
      }
    }
  }

  const int lane = static_cast<int>(threadIdx.x % 32), g = lane / 4, t = lane % 4;
  const auto each_pair = [&](auto store) {
#pragma unroll
    for (int i = 0; i < kFragmentsA; ++i) {
#pragma unroll
      for (int j = 0; j < kFragmentsB; ++j) {
        const float* d = sums + (i * kFragmentsB + j) * 4;
        const int m = first_m + warp_m + 16 * i + g, n = first_n + warp_n + 8 * j + 2 * t;
        store(m, n, d[0], d[1]);
        store(m + 8, n, d[2], d[3]);
      }
    }
  };
  if (split.parts == 1) {
#pragma unroll
    for (int j = 0; j < kFragmentsB; ++j) {
      const int n = first_n + warp_n + 8 * j + 2 * t;
      const float biases[2] = {epilogue.bias_at(n), epilogue.bias_at(n + 1)};
#pragma unroll
      for (int i = 0; i < kFragmentsA * 4; ++i) {
        sums[(i / 4 * kFragmentsB + j) * 4 + i % 4] += biases[i % 2];
      }
    }
    each_pair([&](int m, int n, float first, float second) { epilogue.store_pair(m, n, first, second); });
  } else if (split.cluster == 1) {
    each_pair([&](int m, int n, float first, float second) {
      split.store_pair(epilogue.m, epilogue.n, m, n, first, second);
    });
  } else {
    constexpr int kPitch = SplitTile<TileRows, TileColumns>::kPitch;
    float* const shared = reinterpret_cast<float*>(tiles);
    copy_wait<0>();
    __syncthreads();  // no warp still reads the tiles in whose place the sums go
    each_pair([&](int m, int n, float first, float second) {
      *reinterpret_cast<float2*>(shared + (m - first_m) * kPitch + n - first_n) = make_float2(first, second);
    });
    finish_in_clusters<TileRows, TileColumns, Config::kThreads>(split, epilogue, shared, kPitch, first_m, first_n);
  }
}

// ---- launchers

template <bool Walks, int TileRows, int TileColumns, int Bytes = 16, class A, class B, class Rows>
void launch_tensor_product(CudaContext& context, const char* op, const A& a, const B& b, const Epilogue<Rows>& epilogue,
                           int k) {
  using T = typename A::Element;
  using Config = TensorTile<T, TileRows, TileColumns>;
  const unsigned rows = static_cast<unsigned>((epilogue.m + TileRows - 1) / TileRows),
                 columns = static_cast<unsigned>((epilogue.n + TileColumns - 1) / TileColumns);
  const Split split = split_for(context, std::int64_t{rows} * columns, epilogue.m, epilogue.n, k, Config::kDepth);
  constexpr std::size_t kTiles = sizeof(T) * Config::kStages *
                                 (Tile<T, A::kAlongK, TileRows, Config::kDepth>::kElements +
                                  Tile<T, B::kAlongK, TileColumns, Config::kDepth>::kElements);
  const std::size_t sums = split.cluster > 1 ? SplitTile<TileRows, TileColumns>::kBytes : 0;
  Launch shape{{rows, columns, static_cast<unsigned>(split.parts)}, Config::kThreads, std::max(kTiles, sums)};
  shape.cluster.z = static_cast<unsigned>(split.cluster);
  launch(context, op, shape, tensor_product_kernel<Walks, TileRows, TileColumns, Bytes, A, B, Rows>, a, b, epilogue, k,
         split);
  finish_split(context, op, split, epilogue);
}

// The tile by the product's extents: large ones read less, but there have to be enough of them for all multiprocessors;
// and one no wider than the product wastes nothing.
template <class A, class B, class Rows>
void tensor_product(CudaContext& context, const char* op, const A& a, const B& b, const Epilogue<Rows>& epilogue,
                    int k) {
  constexpr int kDepth = TensorTile<typename A::Element, 64, 64>::kDepth;
  const auto fills = [&](int rows, int columns) {
    const std::int64_t tiles = std::int64_t{(epilogue.m + rows - 1) / rows} * ((epilogue.n + columns - 1) / columns);
    return tiles >= context.multiprocessors();
  };
  if (!a.vectorised || !b.vectorised) {
    launch_tensor_product<false, 64, 64, 4>(context, op, a, b, epilogue, k);
    return;
  }
  if (!a.walks(kDepth) || !b.walks(kDepth)) {
    launch_tensor_product<false, 64, 64>(context, op, a, b, epilogue, k);
    return;
  }
  if constexpr (A::kOverlaps) {  // many pixels by a few channels
    if (epilogue.n <= 32 && fills(128, 32)) {
      launch_tensor_product<true, 128, 32>(context, op, a, b, epilogue, k);
      return;
    }
    if (epilogue.n <= 64 && fills(128, 64)) {
      launch_tensor_product<true, 128, 64>(context, op, a, b, epilogue, k);
      return;
    }
  }
  if constexpr (B::kStepsArePixels) {  // few filters by many taps
    if (epilogue.m <= 64 && epilogue.n > 64) {
      launch_tensor_product<true, 64, 128>(context, op, a, b, epilogue, k);
      return;
    }
  }
  if (epilogue.n > 64 && fills(128, 128)) {
    launch_tensor_product<true, 128, 128>(context, op, a, b, epilogue, k);
  } else {
    launch_tensor_product<true, 64, 64>(context, op, a, b, epilogue, k);
  }
}

}  // namespace duel
