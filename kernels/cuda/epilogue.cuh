// What happens to a finished sum: bias, activation, rounding to the output's type, and where it goes.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/operands.cuh"

namespace duel {

__device__ __forceinline__ float activated(ActivationKind kind, float slope, float x) {
  switch (kind) {
    case ActivationKind::relu: return fmaxf(x, 0.0F);
    case ActivationKind::leaky_relu: return x > 0.0F ? x : slope * x;
    case ActivationKind::tanh: return tanhf(x);
    case ActivationKind::sigmoid: return 1.0F / (1.0F + expf(-x));
    default: return x;
  }
}

// Row m of the product is row m of y.
struct PlainRows {
  __device__ __forceinline__ std::int64_t operator()(int m) const { return m; }
};

// Row m is a pixel of the class: dx's pixel (n, first_h + stride*i, first_w + stride*j).
struct ClassRows {
  int H, W, first_h, first_w, stride;
  Divider by_ij, by_j;

  ClassRows(const ConvShape& s, const GradientClass& c)
      : H(s.H),
        W(s.W),
        first_h(c.first_h),
        first_w(c.first_w),
        stride(s.stride),
        by_ij(std::max(1, c.rows * c.columns)),
        by_j(std::max(1, c.columns)) {}
  __device__ __forceinline__ std::int64_t operator()(int m) const {
    const int n = by_ij.quotient(m), ij = by_ij.remainder(m, n), i = by_j.quotient(ij), j = by_j.remainder(ij, i);
    return (std::int64_t{n} * H + first_h + stride * i) * W + first_w + stride * j;
  }
};

// y[row(m), n] = act(sum + bias[n])
template <class Rows>
struct Epilogue {
  Rows row;
  void* y;  // [rows, n], f32 or bf16
  bool to_bf16;
  const float* bias;  // [n] or null
  ActivationKind kind;
  float slope;
  int m, n;  // extents of the product

  Epilogue(const Rows& rows, const View& view, const View& bias_view, const Activation& activation, int m_extent,
           int n_extent)
      : row(rows),
        y(view.data),
        to_bf16(view.dtype == DType::bf16),
        bias(bias_view.as<const float>()),
        kind(activation.kind),
        slope(activation.slope),
        m(m_extent),
        n(n_extent) {}

  __device__ __forceinline__ float finished(int column, float sum) const {
    return activated(kind, slope, bias != nullptr ? sum + bias[column] : sum);
  }
  __device__ __forceinline__ void store(int m_index, int column, float sum) const {
    if (m_index >= m || column >= n) {
      return;
    }
    const std::int64_t offset = row(m_index) * n + column;
    const float value = finished(column, sum);
    if (to_bf16) {
      static_cast<Bf16*>(y)[offset] = from_float<Bf16>(value);
    } else {
      static_cast<float*>(y)[offset] = value;
    }
  }
  // Two neighbours in a row, `column` even: in one store where the row begins at an even element.
  __device__ __forceinline__ void store_pair(int m_index, int column, float first, float second) const {
    if (m_index >= m || n % 2 != 0) {
      store(m_index, column, first);
      store(m_index, column + 1, second);
    } else if (column < n) {
      const std::int64_t offset = row(m_index) * n + column;
      const float a = finished(column, first), b = finished(column + 1, second);
      if (to_bf16) {
        *reinterpret_cast<__nv_bfloat162*>(static_cast<Bf16*>(y) + offset) =
            __halves2bfloat162(from_float<Bf16>(a), from_float<Bf16>(b));
      } else {
        *reinterpret_cast<float2*>(static_cast<float*>(y) + offset) = make_float2(a, b);
      }
    }
  }
};

// The part of the sums that a block takes. Where a product has too few tiles to fill the GPU, each tile is shared by
// several blocks, which write their sums down; the one that finishes last adds them up in order, so that two runs give
// the same bytes.
struct Split {
  int parts = 1;                // blocks per tile: gridDim.z
  int k_per_part = 0;           // a multiple of the tile's depth
  float* partials = nullptr;    // [tiles, parts, sums of a thread, threads]
  unsigned* tickets = nullptr;  // [tiles], zero
};

// Adds the sums of a tile's other parts to `sums`, in order of the parts. True in the block that holds the whole.
template <int Threads, int Sums>
__device__ __forceinline__ bool is_complete(const Split& split, float (&sums)[Sums]) {
  if (split.parts == 1) {
    return true;
  }
  const std::int64_t tile = std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x;
  float* const tile_partials = split.partials + tile * split.parts * (Threads * Sums) + threadIdx.x;
  float* const own = tile_partials + std::int64_t{blockIdx.z} * (Threads * Sums);
#pragma unroll
  for (int i = 0; i < Sums; ++i) {
    own[i * Threads] = sums[i];
  }
  if (!is_last_block(split.tickets + tile, static_cast<unsigned>(split.parts))) {
    return false;
  }
#pragma unroll
  for (int i = 0; i < Sums; ++i) {
    sums[i] = 0.0F;
  }
  for (int part = 0; part < split.parts; ++part) {
#pragma unroll
    for (int i = 0; i < Sums; ++i) {
      sums[i] += tile_partials[(std::int64_t{part} * Sums + i) * Threads];
    }
  }
  return true;
}

}  // namespace duel
