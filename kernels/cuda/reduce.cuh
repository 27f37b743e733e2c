// Sums in a fixed order: over a warp, over a block, and over blocks by the one that finishes last.
#pragma once

#include "kernels/cuda/platform.cuh"

namespace duel {

inline constexpr unsigned kFullWarp = 0xFFFFFFFFU;

// The sum over the 32 lanes, the same bits in every lane.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(kFullWarp, value, distance);
  }
  return value;
}

// The sum over a block of `Threads`, the same bits in every thread. All threads must call it.
template <int Threads, class T>
__device__ __forceinline__ T block_sum(T value) {
  static_assert(Threads % 32 == 0 && Threads <= 1024);
  DUEL_SHARED(sums, T[Threads / 32]);
  value = warp_sum(value);
  __syncthreads();  // an earlier call's sums may still be read
  if (threadIdx.x % 32 == 0) {
    sums[threadIdx.x / 32] = value;
  }
  __syncthreads();  // every warp reads all sums
  const int lane = static_cast<int>(threadIdx.x % 32);
  return warp_sum(lane < Threads / 32 ? sums[lane] : T{});
}

// True in every thread of the block that comes last of `blocks`: it sees what the others wrote before they called.
// `ticket` is zero before, and zero again afterwards.
__device__ __forceinline__ bool is_last_block(unsigned* ticket, unsigned blocks) {
  DUEL_SHARED(is_last, bool);
  __syncthreads();  // everything this block wrote is written
  if (threadIdx.x == 0) {
    __threadfence();  // and seen before the ticket is drawn
    is_last = atomicAdd(ticket, 1U) == blocks - 1;
    if (is_last) {
      atomicExch(ticket, 0U);
    }
    __threadfence();  // nothing below is read before it
  }
  __syncthreads();
  return is_last;
}

}  // namespace duel
