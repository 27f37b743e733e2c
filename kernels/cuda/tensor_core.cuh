// Fragments of a tile in shared memory, and their products on tensor cores, for the two types that have them: bf16, and
// f32 rounded to TF32. The layouts of fragments are those in instructions.cuh.
//
// A tile's rows are padded so that neither the 16-byte stores of copies nor the fragments' loads meet a bank twice.
#pragma once

#include "kernels/cuda/device.cuh"

namespace duel {

// A tile of `Outer` by `Depth` elements, stored [Outer][Depth] where AlongK, else [Depth][Outer].
template <class T, bool AlongK, int Outer, int Depth>
struct Tile {
  static constexpr int kPad = AlongK && sizeof(T) == 4 ? 4 : 8;
  static constexpr int kRow = (AlongK ? Depth : Outer) + kPad;
  static constexpr int kElements = (AlongK ? Outer : Depth) * kRow;

  __device__ __forceinline__ static constexpr int offset(int outer, int k) {
    return AlongK ? outer * kRow + k : k * kRow + outer;
  }
};

template <class T>
struct TensorCore;

template <>
struct TensorCore<Bf16> {
  static constexpr int kDepth = 16;  // k of one instruction

  // 16 rows from `outer`, 16 columns from `k`.
  template <class Tile, bool AlongK>
  __device__ __forceinline__ static void load_a(std::uint32_t (&a)[4], const Bf16* tile, int outer, int k) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    if constexpr (AlongK) {
      load_matrices(a, tile + Tile::offset(outer + lane % 16, k + lane / 16 * 8));
    } else {
      load_transposed(a, tile + Tile::offset(outer + lane / 8 % 2 * 8, k + lane % 8 + lane / 16 * 8));
    }
  }
  // Two fragments: 8 rows from `outer` and the 8 behind them.
  template <class Tile, bool AlongK>
  __device__ __forceinline__ static void load_b(std::uint32_t (&b)[2][2], const Bf16* tile, int outer, int k) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    std::uint32_t r[4];
    if constexpr (AlongK) {
      load_matrices(r, tile + Tile::offset(outer + lane % 8 + lane / 16 * 8, k + lane / 8 % 2 * 8));
    } else {
      load_transposed(r, tile + Tile::offset(outer + lane / 16 * 8, k + lane % 16));
    }
    b[0][0] = r[0];
    b[0][1] = r[1];
    b[1][0] = r[2];
    b[1][1] = r[3];
  }
  __device__ __forceinline__ static void multiply(float (&d)[4], const std::uint32_t (&a)[4],
                                                  const std::uint32_t (&b)[2]) {
    mma_bf16(d, a, b);
  }
};

template <>
struct TensorCore<float> {
  static constexpr int kDepth = 8;

  template <class Tile, bool AlongK>
  __device__ __forceinline__ static void load_a(std::uint32_t (&a)[4], const float* tile, int outer, int k) {
    const int lane = static_cast<int>(threadIdx.x % 32), g = lane / 4, t = lane % 4;
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      a[r] = to_tf32(tile[Tile::offset(outer + g + 8 * (r & 1), k + t + 4 * (r >> 1))]);
    }
  }
  template <class Tile, bool AlongK>
  __device__ __forceinline__ static void load_b(std::uint32_t (&b)[2][2], const float* tile, int outer, int k) {
    const int lane = static_cast<int>(threadIdx.x % 32), g = lane / 4, t = lane % 4;
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      b[r / 2][r % 2] = to_tf32(tile[Tile::offset(outer + g + 8 * (r / 2), k + t + 4 * (r % 2))]);
    }
  }
  __device__ __forceinline__ static void multiply(float (&d)[4], const std::uint32_t (&a)[4],
                                                  const std::uint32_t (&b)[2]) {
    mma_tf32(d, a, b);
  }
};

}  // namespace duel
