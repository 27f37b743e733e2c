// The matrix product behind dense and convolutional layers:  D[m,n] = sum_k A(m,k) B(n,k), for operands that tell where
// their elements lie (operands.cuh) and an epilogue that takes the sums (epilogue.cuh). Three kernels:
//
//   tensor_product_kernel   tensor cores, bf16 or TF32. A block computes a tile of Size x Size outputs, its warps a
//   grid
//                           of 32 x Size/2 each; tiles of A and B come by asynchronous 16-byte copies, kStages deep, so
//                           that loads run while products do. Needs operands that are `vectorised`.
//   tile_product_kernel     f32 arithmetic, any operands. 64 x 64 outputs a block, 8 x 4 a thread; the next tile is
//                           read into registers while the present one is multiplied.
//   narrow_product_kernel   few columns (a logit, one colour): a warp a row, lanes along k.
//
// Bytes moved: a tile product reads A once per tile column and B once per tile row; `Split` shares long sums among
// blocks. Sums are f32, in an order that depends on the shapes and the GPU alone.
#pragma once

#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/operands.cuh"
#include "kernels/cuda/tensor_core.cuh"

namespace duel {

// ---- tensor cores

template <class T, int Size>
struct TensorTile {
  static constexpr int kStages = 3;
  static constexpr int kDepth = 64 / static_cast<int>(sizeof(T));  // k of one tile: 64 bytes
  static constexpr int kWarpRows = Size / 32, kWarpColumns = 2;
  static constexpr int kThreads = 32 * kWarpRows * kWarpColumns;
  static constexpr int kColumns = Size / kWarpColumns;  // of a warp
};

// Where the vectors of a tile that one thread copies come from, and the copies.
template <class Operand, int Outer, int Depth, int Threads>
struct TileCopy {
  using T = typename Operand::Element;
  static constexpr bool kAlongK = Operand::kAlongK;
  using Shared = Tile<T, kAlongK, Outer, Depth>;
  static constexpr int kRows = Threads / Shared::kVectorsPerRow;  // that the block copies at once
  static constexpr int kCopies = Shared::kVectors / Threads;      // of one thread
  static_assert(Threads % Shared::kVectorsPerRow == 0 && Shared::kVectors % Threads == 0);

  const Operand& operand;
  typename Operand::Outer outer[kAlongK ? kCopies : 1];

  __device__ __forceinline__ static int row() { return static_cast<int>(threadIdx.x) / Shared::kVectorsPerRow; }
  __device__ __forceinline__ static int column() {
    return static_cast<int>(threadIdx.x) % Shared::kVectorsPerRow * kPerVector<T>;
  }

  __device__ __forceinline__ TileCopy(const Operand& from, int first_outer) : operand(from) {
    if constexpr (kAlongK) {
#pragma unroll
      for (int i = 0; i < kCopies; ++i) {
        outer[i] = operand.outer(first_outer + row() + i * kRows);
      }
    } else {
      outer[0] = operand.outer(first_outer + column());
    }
  }
  // Starts the copies of the tile whose k begins at `k`.
  __device__ __forceinline__ void start(T* tile, int k) const {
    if constexpr (kAlongK) {
      const typename Operand::Inner inner = operand.inner(k + column());
#pragma unroll
      for (int i = 0; i < kCopies; ++i) {
        copy(tile + Shared::offset(row() + i * kRows, column()), operand.at(outer[i], inner));
      }
    } else {
#pragma unroll
      for (int i = 0; i < kCopies; ++i) {
        copy(tile + Shared::offset(column(), row() + i * kRows),
             operand.at(outer[0], operand.inner(k + row() + i * kRows)));
      }
    }
  }
  // An element outside has no address; the copy then reads nothing and writes zeros, but wants an aligned one.
  __device__ __forceinline__ static void copy(T* to, const T* from) {
    copy_async<16>(to, from != nullptr ? static_cast<const void*>(from) : to, from != nullptr ? 16 : 0);
  }
};

template <class A, class B, class Rows, int Size>
__global__ void __launch_bounds__(TensorTile<typename A::Element, Size>::kThreads)
    tensor_product_kernel(const A a, const B b, const Epilogue<Rows> epilogue, const int k_extent, const Split split) {
  using T = typename A::Element;
  using Config = TensorTile<T, Size>;
  using CopyA = TileCopy<A, Size, Config::kDepth, Config::kThreads>;
  using CopyB = TileCopy<B, Size, Config::kDepth, Config::kThreads>;
  using TileA = typename CopyA::Shared;
  using TileB = typename CopyB::Shared;
  constexpr int kStages = Config::kStages, kStage = TileA::kElements + TileB::kElements;
  constexpr int kFragmentsA = 2, kFragmentsB = Config::kColumns / 8;
  DUEL_DYNAMIC_SHARED(T, tiles);  // [kStages][TileA, TileB]

  const int first_m = static_cast<int>(blockIdx.x) * Size, first_n = static_cast<int>(blockIdx.y) * Size;
  const int first_k = static_cast<int>(blockIdx.z) * split.k_per_part;
  const int end_k = min(k_extent, first_k + split.k_per_part);
  const int steps = (max(end_k - first_k, 0) + Config::kDepth - 1) / Config::kDepth;
  const CopyA copy_a(a, first_m);
  const CopyB copy_b(b, first_n);
  const auto start = [&](int step) {
    if (step < steps) {
      T* stage = tiles + step % kStages * kStage;
      copy_a.start(stage, first_k + step * Config::kDepth);
      copy_b.start(stage + TileA::kElements, first_k + step * Config::kDepth);
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

  if (!is_complete<Config::kThreads>(split, sums)) {
    return;
  }
  const int lane = static_cast<int>(threadIdx.x % 32), g = lane / 4, t = lane % 4;
#pragma unroll
  for (int i = 0; i < kFragmentsA; ++i) {
#pragma unroll
    for (int j = 0; j < kFragmentsB; ++j) {
      const float* d = sums + (i * kFragmentsB + j) * 4;
      const int m = first_m + warp_m + 16 * i + g, n = first_n + warp_n + 8 * j + 2 * t;
      epilogue.store_pair(m, n, d[0], d[1]);
      epilogue.store_pair(m + 8, n, d[2], d[3]);
    }
  }
}

// ---- f32 arithmetic

inline constexpr int kTileSize = 64, kTileDepth = 16, kTileThreads = 128;

// The elements of a tile that one thread reads, on their way from global memory to shared [kTileDepth][kTileSize + 4].
template <class Operand>
struct TileRead {
  static constexpr bool kAlongK = Operand::kAlongK;
  static constexpr int kReads = kTileSize * kTileDepth / kTileThreads;
  static constexpr int kRow = kTileSize + 4;

  const Operand& operand;
  typename Operand::Outer outer[kAlongK ? kReads : 1];
  float values[kReads];

  // Along k, 16 threads read a row of the tile; else 64 threads a column of it.
  __device__ __forceinline__ static int tile_outer(int i) {
    const int thread = static_cast<int>(threadIdx.x);
    return kAlongK ? thread / kTileDepth + i * (kTileThreads / kTileDepth) : thread % kTileSize;
  }
  __device__ __forceinline__ static int tile_k(int i) {
    const int thread = static_cast<int>(threadIdx.x);
    return kAlongK ? thread % kTileDepth : thread / kTileSize + i * (kTileThreads / kTileSize);
  }

  __device__ __forceinline__ TileRead(const Operand& from, int first_outer) : operand(from) {
#pragma unroll
    for (int i = 0; i < (kAlongK ? kReads : 1); ++i) {
      outer[i] = operand.outer(first_outer + tile_outer(i));
    }
  }
  // `end_k`: of this block's part, beyond which lies another's.
  __device__ __forceinline__ void read(int k, int end_k) {
    if constexpr (kAlongK) {
      const bool is_own = k + tile_k(0) < end_k;
      const typename Operand::Inner inner = operand.inner(k + tile_k(0));
#pragma unroll
      for (int i = 0; i < kReads; ++i) {
        const auto* from = operand.at(outer[i], inner);
        values[i] = is_own && from != nullptr ? to_float(*from) : 0.0F;
      }
    } else {
#pragma unroll
      for (int i = 0; i < kReads; ++i) {
        const auto* from = operand.at(outer[0], operand.inner(k + tile_k(i)));
        values[i] = k + tile_k(i) < end_k && from != nullptr ? to_float(*from) : 0.0F;
      }
    }
  }
  __device__ __forceinline__ void write(float* tile) const {
#pragma unroll
    for (int i = 0; i < kReads; ++i) {
      tile[tile_k(i) * kRow + tile_outer(i)] = values[i];
    }
  }
};

template <class A, class B, class Rows>
__global__ void __launch_bounds__(kTileThreads, 3)
    tile_product_kernel(const A a, const B b, const Epilogue<Rows> epilogue, const int k_extent, const Split split) {
  constexpr int kRow = kTileSize + 4, kTileFloats = kTileDepth * kRow, kM = 8, kN = 4;
  DUEL_SHARED_ALIGNED(16, tiles, float[2][2][kTileFloats]);  // two steps of A and B

  const int first_m = static_cast<int>(blockIdx.x) * kTileSize, first_n = static_cast<int>(blockIdx.y) * kTileSize;
  const int first_k = static_cast<int>(blockIdx.z) * split.k_per_part;
  const int end_k = min(k_extent, first_k + split.k_per_part);
  const int steps = (max(end_k - first_k, 0) + kTileDepth - 1) / kTileDepth;
  TileRead<A> read_a(a, first_m);
  TileRead<B> read_b(b, first_n);
  const int thread_m = static_cast<int>(threadIdx.x) / 16 * kM, thread_n = static_cast<int>(threadIdx.x) % 16 * kN;
  float sums[kM * kN] = {};

  read_a.read(first_k, end_k);
  read_b.read(first_k, end_k);
  read_a.write(tiles[0][0]);
  read_b.write(tiles[0][1]);
  __syncthreads();  // the first tiles are there
  for (int step = 0; step < steps; ++step) {
    const bool has_next = step + 1 < steps;
    if (has_next) {
      read_a.read(first_k + (step + 1) * kTileDepth, end_k);
      read_b.read(first_k + (step + 1) * kTileDepth, end_k);
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

  if (!is_complete<kTileThreads>(split, sums)) {
    return;
  }
#pragma unroll
  for (int m = 0; m < kM; ++m) {
#pragma unroll
    for (int n = 0; n < kN; n += 2) {
      epilogue.store_pair(first_m + thread_m + m, first_n + thread_n + n, sums[m * kN + n], sums[m * kN + n + 1]);
    }
  }
}

// ---- few columns

inline constexpr int kNarrowColumns = 4, kNarrowThreads = 256;

template <class A, class B, class Rows>
__global__ void __launch_bounds__(kNarrowThreads)
    narrow_product_kernel(const A a, const B b, const Epilogue<Rows> epilogue, const int k_extent) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x % 32);
  const int m = static_cast<int>(blockIdx.x) * (kNarrowThreads / 32) + warp;
  const typename A::Outer row = a.outer(m);  // beyond the last row: nothing is read, and nothing stored
  typename B::Outer columns[kNarrowColumns];
#pragma unroll
  for (int n = 0; n < kNarrowColumns; ++n) {
    columns[n] = b.outer(n);
  }
  float sums[kNarrowColumns] = {};
  for (int k = lane; k < k_extent; k += 32) {
    const auto* left = a.at(row, a.inner(k));
    if (left == nullptr) {
      continue;
    }
    const float value = to_float(*left);
    const typename B::Inner inner = b.inner(k);
#pragma unroll
    for (int n = 0; n < kNarrowColumns; ++n) {
      const auto* right = b.at(columns[n], inner);
      sums[n] = fmaf(value, right != nullptr ? to_float(*right) : 0.0F, sums[n]);
    }
  }
#pragma unroll
  for (int n = 0; n < kNarrowColumns; ++n) {
    const float sum = warp_sum(sums[n]);
    if (lane == n) {
      epilogue.store(m, n, sum);
    }
  }
}

// ---- launchers

// Tiles are shared among blocks until these fill the GPU twice, as far as the scratch memory, the tickets and a decent
// length of each part (four tiles deep) allow.
inline Split split_for(CudaContext& context, std::int64_t tiles, int k, int depth, int sums_per_tile) {
  const std::int64_t steps = (k + depth - 1) / depth;
  std::int64_t parts = std::max<std::int64_t>(1, 2 * context.multiprocessors() / tiles);
  parts = std::min(parts, std::max<std::int64_t>(1, steps / 4));
  parts = std::min<std::int64_t>(parts, CudaContext::kPartialBytes / sizeof(float) / sums_per_tile / tiles);
  if (parts <= 1 || tiles > CudaContext::kTickets) {
    return {1, k, nullptr, nullptr};
  }
  const std::int64_t steps_per_part = (steps + parts - 1) / parts;
  return {static_cast<int>((steps + steps_per_part - 1) / steps_per_part), static_cast<int>(steps_per_part) * depth,
          static_cast<float*>(context.partials()), context.tickets()};
}

template <int Size, class A, class B, class Rows>
void tensor_product(CudaContext& context, const char* op, const A& a, const B& b, const Epilogue<Rows>& epilogue,
                    int k) {
  using T = typename A::Element;
  using Config = TensorTile<T, Size>;
  const unsigned rows = static_cast<unsigned>((epilogue.m + Size - 1) / Size),
                 columns = static_cast<unsigned>((epilogue.n + Size - 1) / Size);
  const Split split = split_for(context, std::int64_t{rows} * columns, k, Config::kDepth, Size * Size);
  constexpr std::size_t kBytes =
      sizeof(T) * Config::kStages *
      (Tile<T, A::kAlongK, Size, Config::kDepth>::kElements + Tile<T, B::kAlongK, Size, Config::kDepth>::kElements);
  launch(context, op, {{rows, columns, static_cast<unsigned>(split.parts)}, Config::kThreads, kBytes},
         tensor_product_kernel<A, B, Rows, Size>, a, b, epilogue, k, split);
}

template <class A, class B, class Rows>
void product(CudaContext& context, const char* op, const A& a, const B& b, const Epilogue<Rows>& epilogue, int k) {
  using T = typename A::Element;
  if constexpr (A::kAlongK) {
    if (epilogue.n <= kNarrowColumns) {
      constexpr int kRows = kNarrowThreads / 32;
      launch(context, op, {static_cast<unsigned>((epilogue.m + kRows - 1) / kRows), kNarrowThreads},
             narrow_product_kernel<A, B, Rows>, a, b, epilogue, k);
      return;
    }
  }
  const bool has_tensor_cores = context.compute_capability() >= 80 && (sizeof(T) == 2 || context.allows_tf32());
  if (has_tensor_cores && a.vectorised && b.vectorised) {
    const std::int64_t large_tiles = std::int64_t{(epilogue.m + 127) / 128} * ((epilogue.n + 127) / 128);
    if (epilogue.n > 64 && large_tiles >= context.multiprocessors()) {
      tensor_product<128>(context, op, a, b, epilogue, k);
    } else {
      tensor_product<64>(context, op, a, b, epilogue, k);
    }
    return;
  }
  const unsigned rows = static_cast<unsigned>((epilogue.m + kTileSize - 1) / kTileSize),
                 columns = static_cast<unsigned>((epilogue.n + kTileSize - 1) / kTileSize);
  const Split split = split_for(context, std::int64_t{rows} * columns, k, kTileDepth, kTileSize * kTileSize);
  launch(context, op, {{rows, columns, static_cast<unsigned>(split.parts)}, kTileThreads},
         tile_product_kernel<A, B, Rows>, a, b, epilogue, k, split);
}

}  // namespace duel
