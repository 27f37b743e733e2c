// The matrix product behind dense and convolutional layers:  D[m,n] = sum_k A(m,k) B(n,k), for operands that tell where
// their elements lie (operands.cuh) and an epilogue that takes the sums (epilogue.cuh). Five kernels:
//
//   tensor_product_kernel   tensor cores, bf16 or TF32, of operands whose rows are whole words (tensor_product.cuh)
//   tile_product_kernel     f32 arithmetic, any operands (tile_product.cuh)
//   narrow_product_kernel   few columns (a logit): a warp a row, lanes along k
//   short_column_kernel     few columns, where A's rows lie side by side and the sums are short: a lane a row, warps
//                           along k
//
//   shallow_product_kernel  sums of up to four terms (the gradient behind a logit): a thread two neighbours in a row
//
// Bytes moved: a tile product reads A once per tile column and B once per tile row; `Split` shares long sums among
// blocks (split.cuh). Sums are f32, in an order that depends on the shapes and the GPU alone.
#pragma once

#include "kernels/cuda/tensor_product.cuh"
#include "kernels/cuda/tile_product.cuh"

namespace duel {

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
      epilogue.store(m, n, sum + epilogue.bias_at(n));
    }
  }
}

inline constexpr int kShortColumn = 1024;  // the most k

template <class A, class B, class Rows>
__global__ void __launch_bounds__(kNarrowThreads)
    short_column_kernel(const A a, const B b, const Epilogue<Rows> epilogue, const int k_extent) {
  constexpr int kWarps = kNarrowThreads / 32;
  DUEL_SHARED(parts, float[kWarps][kNarrowColumns][32]);
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x % 32);
  const int m = static_cast<int>(blockIdx.x) * 32 + lane;
  const typename A::Outer row = a.outer(m);  // beyond the last row: nothing is read, and nothing stored
  typename B::Outer columns[kNarrowColumns];
#pragma unroll
  for (int n = 0; n < kNarrowColumns; ++n) {
    columns[n] = b.outer(n);
  }
  float sums[kNarrowColumns] = {};
#pragma unroll 4
  for (int k = warp; k < k_extent; k += kWarps) {
    const auto* left = a.at(row, a.inner(k));
    const float value = left != nullptr ? to_float(*left) : 0.0F;
    const typename B::Inner inner = b.inner(k);
#pragma unroll
    for (int n = 0; n < kNarrowColumns; ++n) {
      const auto* right = b.at(columns[n], inner);
      sums[n] = fmaf(value, right != nullptr ? to_float(*right) : 0.0F, sums[n]);
    }
  }
#pragma unroll
  for (int n = 0; n < kNarrowColumns; ++n) {
    parts[warp][n][lane] = sums[n];
  }
  __syncthreads();  // an element is added up from the sums of all warps
  if (warp < kNarrowColumns) {
    float sum = parts[0][warp][lane];
#pragma unroll
    for (int other = 1; other < kWarps; ++other) {
      sum += parts[other][warp][lane];
    }
    epilogue.store(m, warp, sum + epilogue.bias_at(warp));
  }
}

// ---- few terms

inline constexpr int kShallow = 4;  // the most k

template <class A, class B, class Rows>
__global__ void __launch_bounds__(kNarrowThreads)
    shallow_product_kernel(const A a, const B b, const Epilogue<Rows> epilogue, const int k_extent,
                           const Divider by_pairs) {
  const std::int64_t pair = std::int64_t{blockIdx.x} * kNarrowThreads + threadIdx.x;
  const int pairs = (epilogue.n + 1) / 2;
  if (pair >= std::int64_t{epilogue.m} * pairs) {
    return;
  }
  const int m = by_pairs.quotient(static_cast<int>(pair)), n = 2 * by_pairs.remainder(static_cast<int>(pair), m);
  const typename A::Outer row = a.outer(m);
  const typename B::Outer columns[2] = {b.outer(n), b.outer(n + 1)};
  float sums[2] = {};
#pragma unroll
  for (int k = 0; k < kShallow; ++k) {
    if (k < k_extent) {
      const auto* left = a.at(row, a.inner(k));
      const float value = left != nullptr ? to_float(*left) : 0.0F;
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const auto* right = b.at(columns[i], b.inner(k));
        sums[i] = fmaf(value, right != nullptr ? to_float(*right) : 0.0F, sums[i]);
      }
    }
  }
  epilogue.store_pair(m, n, sums[0] + epilogue.bias_at(n), sums[1] + epilogue.bias_at(n + 1));
}

// ---- launchers

template <class A, class B, class Rows>
void product(CudaContext& context, const char* op, const A& a, const B& b, const Epilogue<Rows>& epilogue, int k) {
  const std::int64_t pairs = std::int64_t{epilogue.m} * ((epilogue.n + 1) / 2);
  if (k <= kShallow && pairs < std::int64_t{1} << 31) {
    launch(context, op, {blocks_for(pairs, kNarrowThreads, 1, pairs), kNarrowThreads},
           shallow_product_kernel<A, B, Rows>, a, b, epilogue, k, Divider((epilogue.n + 1) / 2));
    return;
  }
  if constexpr (A::kAlongK) {
    if (epilogue.n <= kNarrowColumns) {
      constexpr int kRows = kNarrowThreads / 32;
      launch(context, op, {static_cast<unsigned>((epilogue.m + kRows - 1) / kRows), kNarrowThreads},
             narrow_product_kernel<A, B, Rows>, a, b, epilogue, k);
      return;
    }
  } else if (epilogue.n <= kNarrowColumns && k <= kShortColumn) {
    launch(context, op, {static_cast<unsigned>((epilogue.m + 31) / 32), kNarrowThreads},
           short_column_kernel<A, B, Rows>, a, b, epilogue, k);
    return;
  }
  using T = typename A::Element;
  const bool has_tensor_cores = context.compute_capability() >= 80 && (sizeof(T) == 2 || context.allows_tf32());
  if (has_tensor_cores && a.paired && b.paired) {
    tensor_product(context, op, a, b, epilogue, k);
  } else {
    tile_product(context, op, a, b, epilogue, k);
  }
}

}  // namespace duel
