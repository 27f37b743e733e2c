// Faults in warp operations: lanes that are missing, masks that do not fit, addresses that are not aligned.
#include "emulator/faults/fault.h"
#include "kernels/cuda/instructions.cuh"
#include "kernels/cuda/reduce.cuh"

namespace duel::faults {

namespace {

__global__ void divergent_kernel(float* y, bool is_faulty) {
  float value = static_cast<float>(threadIdx.x);
  if (!is_faulty || threadIdx.x < 16) {
    value = __shfl_xor_sync(kFullWarp, value, 1);
  }
  y[threadIdx.x] = value;
}

Results divergent_shuffle(bool is_faulty) {
  Buffer<float> y(32);
  launch(divergent_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

__global__ void half_warp_kernel(float* y, bool is_faulty) {
  float value = static_cast<float>(threadIdx.x);
  if (threadIdx.x < 16) {
    value = __shfl_xor_sync(0xFFFFU, value, is_faulty ? 16 : 1);
  }
  y[threadIdx.x] = value;
}

Results inactive_lane(bool is_faulty) {
  Buffer<float> y(32);
  launch(half_warp_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

__global__ void own_mask_kernel(float* y, bool is_faulty) {
  const unsigned mask = is_faulty ? kFullWarp >> 1 : kFullWarp;
  y[threadIdx.x] = __shfl_xor_sync(mask, static_cast<float>(threadIdx.x), 1);
}

Results not_in_own_mask(bool is_faulty) {
  Buffer<float> y(32);
  launch(own_mask_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

__global__ void sum_kernel(float* y) {
  const float sum = warp_sum(1.0F);
  if (threadIdx.x == 0) {
    y[0] = sum;
  }
}

Results partial_warp(bool is_faulty) {
  Buffer<float> y(1);
  launch(sum_kernel, 1, is_faulty ? 48 : 64, y.data());
  return y.values();
}

// The sum of each half of the warp goes to all of its lanes: beyond 16 there is the other half.
__global__ void half_sums_kernel(float* y, bool is_faulty) {
  float sum = static_cast<float>(threadIdx.x);
  for (int distance = 8; distance > 0; distance /= 2) {
    sum += __shfl_down_sync(kFullWarp, sum, static_cast<unsigned>(distance), 16);
  }
  y[threadIdx.x] = __shfl_sync(kFullWarp, sum, 0, is_faulty ? 32 : 16);
}

Results wrong_width(bool is_faulty) {
  Buffer<float> y(32);
  launch(half_sums_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

__global__ void load_matrices_kernel(float* y, bool is_faulty) {
  DUEL_SHARED_ALIGNED(16, tile, Bf16[16][24]);
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 16 * 24; i += 32) {
    tile[i / 24][i % 24] = from_float<Bf16>(1.0F);
  }
  __syncwarp();
  std::uint32_t r[4];
  load_matrices(r, &tile[lane % 16][lane / 16 * 8 + (is_faulty ? 1 : 0)]);
  y[lane] = static_cast<float>(r[0]);
}

Results misaligned_matrix(bool is_faulty) {
  Buffer<float> y(32);
  launch(load_matrices_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

__global__ void product_kernel(float* y, bool is_faulty) {
  float d[4] = {};
  const std::uint32_t a[4] = {}, b[2] = {};
  if (!is_faulty || threadIdx.x < 31) {
    mma_bf16(d, a, b);
  }
  y[threadIdx.x] = d[0];
}

Results product_without_a_lane(bool is_faulty) {
  Buffer<float> y(32);
  launch(product_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

}  // namespace

std::vector<Fault> warp_faults() {
  using enum Verdict;
  return {
      {"divergent_shuffle", error, error, error, error, divergent_shuffle},
      {"shuffle_from_inactive_lane", wrong, wrong, wrong, sanitizer, inactive_lane},
      {"lane_not_in_own_mask", error, error, error, error, not_in_own_mask},
      {"partial_warp", error, error, error, error, partial_warp},
      {"wrong_shuffle_width", wrong, wrong, wrong, wrong, wrong_width},
      {"misaligned_matrix", error, error, error, error, misaligned_matrix},
      {"product_without_a_lane", error, error, error, error, product_without_a_lane},
  };
}

}  // namespace duel::faults
