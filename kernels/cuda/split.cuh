// Sums that several blocks share. Where a product has too few tiles to fill the GPU, each tile's sums over k are cut
// into parts, a block each, which leave what they have in `partials`, [parts, elements of the result]. The blocks that
// come last add them, in an order that follows from their number alone:
//
//   round 0   the last block of parts l, l + 8, l + 16, ... adds these in order, and leaves the sum in part l's place;
//             left out where there are at most eight parts
//   round 1   the last of these blocks adds the eight sums in order, and stores as the product says
//
// Two rounds, as one block reads no more than its multiprocessor can: parts that fill an H100 twice leave it at most a
// few hundred KB in each.
//
// Moved: every partial once, and a few of them twice.
#pragma once

#include "kernels/cuda/epilogue.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kSplitLanes = 8;

// That the blocks of one tile draw: a counter for each sum that several of them make.
__host__ __device__ constexpr int split_tickets(int parts) {
  return parts > kSplitLanes ? 1 + kSplitLanes : 1;
}

// Every block of a tile calls it with all its threads, once it has left its part. Where it comes last in a round it
// calls add(first, end, step), for the sums of the parts first, first + step, ...; and leave(part) behind round 0. True
// in the block that has added all. `tickets`: [tiles, split_tickets(parts)].
template <class Add, class Leave>
__device__ __forceinline__ bool add_parts(unsigned* tickets, unsigned tile, int part, int parts, const Add& add,
                                          const Leave& leave) {
  tickets += tile * split_tickets(parts);
  const int lane = part % kSplitLanes;
#pragma unroll 1  // what adds is long: one copy of it
  for (int round = parts > kSplitLanes ? 0 : 1; round < 2; ++round) {
    const int first = round == 0 ? lane : 0, step = round == 0 ? kSplitLanes : 1;
    const int end = round == 0 ? parts : min(parts, kSplitLanes);
    const auto blocks = static_cast<unsigned>((end - first + step - 1) / step);
    if (!is_last_block(tickets + (round == 0 ? 1 + lane : 0), blocks)) {
      return false;
    }
    add(first, end, step);
    if (round == 0) {
      leave(lane);
    }
  }
  return true;
}

struct Split {
  int parts = 1;                // blocks per tile: gridDim.z
  int k_per_part = 0;           // a multiple of the tile's depth
  float* partials = nullptr;    // [parts, m, n]
  unsigned* tickets = nullptr;  // [tiles, split_tickets(parts)]

  // Two neighbours in a row, `column` even, of a part.
  __device__ __forceinline__ void store_pair(int m, int n, int part, int row, int column, float first,
                                             float second) const {
    if (row >= m || column >= n) {
      return;
    }
    float* const to = partials + (std::int64_t{part} * m + row) * n + column;
    if (n % 2 == 0) {
      *reinterpret_cast<float2*>(to) = make_float2(first, second);
    } else {
      to[0] = first;
      if (column + 1 < n) {
        to[1] = second;
      }
    }
  }
  __device__ __forceinline__ float2 load_pair(int m, int n, int part, int row, int column) const {
    if (row >= m || column >= n) {
      return make_float2(0.0F, 0.0F);
    }
    const float* const from = partials + (std::int64_t{part} * m + row) * n + column;
    return n % 2 == 0 ? *reinterpret_cast<const float2*>(from) : make_float2(from[0], column + 1 < n ? from[1] : 0.0F);
  }

  // Leaves the sums that this block has of its tile; true in the block that then has those of all parts, and is to
  // store them. each_pair(use) calls use(row, column, first, second) with each pair of sums that this thread holds.
  template <class EachPair>
  __device__ __forceinline__ bool add_all(int m, int n, const EachPair& each_pair) const {
    const auto leave = [&](int part) {
      each_pair(
          [&](int row, int column, float first, float second) { store_pair(m, n, part, row, column, first, second); });
    };
    const auto add = [&](int first_part, int end_part, int step) {
      each_pair([](int, int, float& first, float& second) { first = second = 0.0F; });
#pragma unroll 1  // a part's loads are enough in flight at a time
      for (int part = first_part; part < end_part; part += step) {
        each_pair([&](int row, int column, float& first, float& second) {
          const float2 loaded = load_pair(m, n, part, row, column);
          first += loaded.x;
          second += loaded.y;
        });
      }
    };
    const int part = static_cast<int>(blockIdx.z);
    leave(part);
    return add_parts(tickets, blockIdx.y * gridDim.x + blockIdx.x, part, parts, add, leave);
  }
};

// Tiles are shared among blocks until these fill the GPU twice, as far as the memory for the partial sums and a decent
// length of each part (four tiles deep) allow.
inline Split split_for(CudaContext& context, std::int64_t tiles, int m, int n, int k, int depth) {
  const std::int64_t steps = (std::int64_t{k} + depth - 1) / depth;
  std::int64_t parts = std::max<std::int64_t>(1, 2 * context.multiprocessors() / tiles);
  parts = std::min(parts, std::max<std::int64_t>(1, steps / 4));
  parts = std::min<std::int64_t>(parts, CudaContext::kPartialBytes / sizeof(float) / (std::int64_t{m} * n));
  if (parts <= 1 || tiles * split_tickets(static_cast<int>(parts)) > CudaContext::kTickets) {
    return {1, k, nullptr, nullptr};
  }
  const std::int64_t steps_per_part = (steps + parts - 1) / parts;
  return {static_cast<int>((steps + steps_per_part - 1) / steps_per_part), static_cast<int>(steps_per_part) * depth,
          static_cast<float*>(context.partials()), context.tickets()};
}

}  // namespace duel
