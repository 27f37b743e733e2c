// What duel_probe runs on the device.
//
// read_kernel: the grid reads the whole array in every pass, each block one slice of it, in each pass another, far from
// the last: what this block or its neighbour has just read would come out of L1. A thread has four loads of 16 bytes or
// more in flight. What is read goes into one word a thread, written at the end: nobody needs it, but loads that nobody
// needs are not made.
// mma_kernel: each warp multiplies what lies in its registers, with eight sums that do not wait for one another.
// fill_kernel: words that look random, each two bf16 of 1 to 2 in size and either sign: zeros would take less power,
// and so run faster than work does.
#pragma once

#include "kernels/cuda/instructions.cuh"

namespace duel {

constexpr int kProbeThreads = 256;  // of a block of each kernel here
constexpr int kLoads = 8;           // of a thread, that do not wait for one another
constexpr int kSums = 8;            // of a warp
constexpr unsigned kStride = 61;    // slices from one pass to the next
constexpr double kMmaOperations = 2.0 * 16 * 8 * 16;

__device__ __forceinline__ std::uint32_t probe_word(std::uint32_t index) {
  std::uint32_t x = index * 0x9E3779B9U + 0x7F4A7C15U;
  x = (x ^ (x >> 16)) * 0x85EBCA6BU;
  x = (x ^ (x >> 13)) * 0xC2B2AE35U;
  x ^= x >> 16;
  return (x & 0x807F807FU) | 0x3F803F80U;  // signs and mantissas; the exponent of 1
}

__global__ void __launch_bounds__(kProbeThreads) fill_kernel(std::uint32_t* x,  // [words]
                                                             std::int64_t words) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kProbeThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kProbeThreads + threadIdx.x; i < words; i += stride) {
    x[i] = probe_word(static_cast<std::uint32_t>(i));
  }
}

template <bool PastL1>
__device__ __forceinline__ uint4 load_words(const uint4* x) {
#ifdef DUEL_EMULATED
  return *x;
#else
  return PastL1 ? __ldcg(x) : __ldca(x);
#endif
}

// `vectors` is a multiple of gridDim.x * kProbeThreads * kLoads.
template <bool PastL1>
__global__ void __launch_bounds__(kProbeThreads) read_kernel(const uint4* x,  // [vectors]
                                                             int vectors, int passes,
                                                             std::uint32_t* seen) {  // [gridDim.x * kProbeThreads]
  const int slice = vectors / static_cast<int>(gridDim.x);
  std::uint32_t sum = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const int at = static_cast<int>((blockIdx.x + kStride * static_cast<unsigned>(pass)) % gridDim.x) * slice;
    for (int i = static_cast<int>(threadIdx.x); i < slice; i += kProbeThreads * kLoads) {
      uint4 loaded[kLoads];
#pragma unroll
      for (int k = 0; k < kLoads; ++k) {
        loaded[k] = load_words<PastL1>(x + at + i + k * kProbeThreads);
      }
#pragma unroll
      for (int k = 0; k < kLoads; ++k) {
        sum += loaded[k].x + loaded[k].y + loaded[k].z + loaded[k].w;
      }
    }
  }
  seen[blockIdx.x * kProbeThreads + threadIdx.x] = sum;
}

__global__ void __launch_bounds__(kProbeThreads) mma_kernel(int rounds,
                                                            float* seen) {  // [gridDim.x * kProbeThreads]
  const std::uint32_t thread = blockIdx.x * kProbeThreads + threadIdx.x;
  std::uint32_t a[4], b[2];
  for (std::uint32_t i = 0; i < 4; ++i) {
    a[i] = probe_word(6 * thread + i);
  }
  for (std::uint32_t i = 0; i < 2; ++i) {
    b[i] = probe_word(6 * thread + 4 + i);
  }
  float sums[kSums][4] = {};
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int k = 0; k < kSums; ++k) {
      mma_bf16(sums[k], a, b);
    }
  }
  float sum = 0;
  for (int k = 0; k < kSums; ++k) {
    sum += sums[k][0] + sums[k][1] + sums[k][2] + sums[k][3];
  }
  seen[thread] = sum;
}

// Nothing between two of them but the device's own work. Overlapping, each waits for the one before, as a kernel that
// needs its results would, and lets the next one begin at once.
__global__ void empty_kernel() {}
__global__ void overlapped_kernel() {
  let_next_kernel_start();
  wait_for_previous_kernel();
}

}  // namespace duel
