// Sums that several blocks share. Where a product has too few tiles to fill the GPU, each tile's sums over k are cut
// into parts, a block each, which leave what they have in `partials`, [parts, elements of the result]. A second kernel
// adds the parts of each element, spread over the whole GPU and in an order that follows from their number alone:
//
//   warp l of a block    adds parts l, l + 8, l + 16, ... of 32 vectors of elements, four loads in flight
//   then                 the eight sums of each element are added in order, and stored as the product says
//
// Moved: every partial once.
#pragma once

#include "kernels/cuda/epilogue.cuh"

#include <algorithm>

namespace duel {

struct Split {
  int parts = 1;              // blocks per tile: gridDim.z
  int k_per_part = 0;         // a multiple of the tile's depth
  float* partials = nullptr;  // [parts, m, n]

  // Leaves two neighbours in a row, `column` even, of this block's part.
  __device__ __forceinline__ void store_pair(int m, int n, int row, int column, float first, float second) const {
    if (row >= m || column >= n) {
      return;
    }
    float* const to = partials + (std::int64_t{blockIdx.z} * m + row) * n + column;
    if (n % 2 == 0) {
      *reinterpret_cast<float2*>(to) = make_float2(first, second);
    } else {
      to[0] = first;
      if (column + 1 < n) {
        to[1] = second;
      }
    }
  }
};

inline constexpr int kSumPartsThreads = 256, kSumPartsLanes = kSumPartsThreads / 32;

// Store: from (element, sum) to where it belongs.
template <int Width, class Store>
__global__ void __launch_bounds__(kSumPartsThreads) sum_parts_kernel(const float* partials,  // [parts, elements]
                                                                     int parts, int elements, const Store store) {
  constexpr int kColumns = 32 * Width;
  DUEL_SHARED_ALIGNED(16, lanes, float[kSumPartsLanes][kColumns]);
  const int thread = static_cast<int>(threadIdx.x), lane = thread / 32, column = thread % 32 * Width;
  const std::int64_t first = std::int64_t{blockIdx.x} * kColumns;
  float sums[Width] = {};
  if (first + column < elements) {
    const float* from = partials + first + column;
#pragma unroll 4
    for (int part = lane; part < parts; part += kSumPartsLanes) {
      const auto loaded = load_vector<float, Width>(from + std::int64_t{part} * elements);
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        sums[i] += loaded.values[i];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    lanes[lane][column + i] = sums[i];
  }
  __syncthreads();  // an element is added up from the sums of all warps
  for (int i = thread; i < kColumns && first + i < elements; i += kSumPartsThreads) {
    float sum = lanes[0][i];
#pragma unroll
    for (int other = 1; other < kSumPartsLanes; ++other) {
      sum += lanes[other][i];
    }
    store(static_cast<int>(first) + i, sum);
  }
}

template <class Store>
void sum_parts(CudaContext& context, const char* op, const float* partials, int parts, int elements,
               const Store& store) {
  const auto run = [&](auto width) {
    constexpr int kColumns = 32 * decltype(width)::value;
    launch(context, op, {static_cast<unsigned>((elements + kColumns - 1) / kColumns), kSumPartsThreads},
           sum_parts_kernel<decltype(width)::value, Store>, partials, parts, elements, store);
  };
  elements % 4 == 0 ? run(std::integral_constant<int, 4>{}) : run(std::integral_constant<int, 1>{});
}

// Element i of a product is row i / n, column i % n.
template <class Rows>
struct ProductStore {
  Epilogue<Rows> epilogue;
  Divider by_n;

  explicit ProductStore(const Epilogue<Rows>& of) : epilogue(of), by_n(of.n) {}
  __device__ __forceinline__ void operator()(int element, float sum) const {
    const int row = by_n.quotient(element);
    const int column = by_n.remainder(element, row);
    epilogue.store(row, column, sum + epilogue.bias_at(column));
  }
};

template <class Rows>
void finish_split(CudaContext& context, const char* op, const Split& split, const Epilogue<Rows>& epilogue) {
  if (split.parts > 1) {
    sum_parts(context, op, split.partials, split.parts, epilogue.m * epilogue.n, ProductStore<Rows>(epilogue));
  }
}

// Tiles are shared among blocks until these fill the GPU twice, as far as the memory for the partial sums and a decent
// length of each part (four tiles deep) allow.
inline Split split_for(CudaContext& context, std::int64_t tiles, int m, int n, int k, int depth) {
  const std::int64_t steps = (std::int64_t{k} + depth - 1) / depth;
  std::int64_t parts = std::max<std::int64_t>(1, 2 * context.multiprocessors() / tiles);
  parts = std::min(parts, std::max<std::int64_t>(1, steps / 4));
  parts = std::min<std::int64_t>(parts, CudaContext::kPartialBytes / sizeof(float) / (std::int64_t{m} * n));
  if (parts <= 1) {
    return {1, k, nullptr};
  }
  const std::int64_t steps_per_part = (steps + parts - 1) / parts;
  return {static_cast<int>((steps + steps_per_part - 1) / steps_per_part), static_cast<int>(steps_per_part) * depth,
          static_cast<float*>(context.partials())};
}

}  // namespace duel
