// Faults in barriers: missing, or not reached by all.
#include "emulator/faults/fault.h"
#include "kernels/cuda/platform.cuh"
#include "kernels/cuda/reduce.cuh"

namespace duel::faults {

namespace {

__global__ void reverse_kernel(const float* x, float* y, bool is_faulty) {
  DUEL_SHARED(values, float[128]);
  values[threadIdx.x] = x[threadIdx.x];
  if (!is_faulty) {
    __syncthreads();
  }
  y[threadIdx.x] = values[127 - threadIdx.x];
}

Results missing_before_reading(bool is_faulty) {
  Numbers x(128);
  Buffer<float> y(128);
  launch(reverse_kernel, 1, 128, x.data(), y.data(), is_faulty);
  return y.values();
}

__global__ void reverse_warp_kernel(const float* x, float* y, bool is_faulty) {
  DUEL_SHARED(values, float[32]);
  values[threadIdx.x] = x[threadIdx.x];
  if (!is_faulty) {
    __syncwarp();
  }
  y[threadIdx.x] = values[31 - threadIdx.x];
}

Results missing_in_warp(bool is_faulty) {
  Numbers x(32);
  Buffer<float> y(32);
  launch(reverse_warp_kernel, 1, 32, x.data(), y.data(), is_faulty);
  return y.values();
}

__global__ void sum_of_tiles_kernel(const float* x, float* y, int count, bool is_faulty) {
  DUEL_SHARED(tile, float[64]);
  float sum = 0;
  for (int begin = 0; begin < count; begin += 64) {
    tile[threadIdx.x] = x[begin + static_cast<int>(threadIdx.x)];
    __syncthreads();
    for (const float value : tile) {
      sum += value;
    }
    if (!is_faulty) {
      __syncthreads();  // the next tile overwrites this one
    }
  }
  y[threadIdx.x] = sum;
}

Results missing_before_writing(bool is_faulty) {
  Numbers x(512);
  Buffer<float> y(64);
  launch(sum_of_tiles_kernel, 1, 64, x.data(), y.data(), 512, is_faulty);
  return y.values();
}

__device__ float sum_of_block(float value, bool is_faulty) {
  DUEL_SHARED(sums, float[4]);
  value = warp_sum(value);
  if (!is_faulty) {
    __syncthreads();  // the sums of the call before may still be read
  }
  if (threadIdx.x % 32 == 0) {
    sums[threadIdx.x / 32] = value;
  }
  __syncthreads();
  return sums[0] + sums[1] + sums[2] + sums[3];
}

__global__ void two_sums_kernel(const float* x, float* y, bool is_faulty) {
  const float first = sum_of_block(x[threadIdx.x], is_faulty);
  y[threadIdx.x] = first + 3 * sum_of_block(x[threadIdx.x] * first, is_faulty);
}

Results missing_between_reductions(bool is_faulty) {
  Numbers x(128);
  Buffer<float> y(128);
  launch(two_sums_kernel, 1, 128, x.data(), y.data(), is_faulty);
  return y.values();
}

__global__ void half_block_kernel(float* y, bool is_faulty) {
  if (!is_faulty || threadIdx.x < 64) {
    __syncthreads();
  }
  y[threadIdx.x] = 1.0F;
}

Results by_half_the_block(bool is_faulty) {
  Buffer<float> y(128);
  launch(half_block_kernel, 1, 128, y.data(), is_faulty);
  return y.values();
}

// The number of threads is right, and a GPU may well go on: what a barrier in both branches does is not defined.
__global__ void two_places_kernel(float* y, bool is_faulty) {
  if (is_faulty && threadIdx.x < 64) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[threadIdx.x] = 1.0F;
}

Results in_two_places(bool is_faulty) {
  Buffer<float> y(128);
  launch(two_places_kernel, 1, 128, y.data(), is_faulty);
  return y.values();
}

__global__ void early_return_kernel(float* y, int count, bool is_faulty) {
  const int thread = static_cast<int>(threadIdx.x);
  if (is_faulty && thread >= count) {
    return;
  }
  __syncthreads();
  if (thread < count) {
    y[thread] = 1.0F;
  }
}

Results after_early_return(bool is_faulty) {
  Buffer<float> y(100);
  launch(early_return_kernel, 1, 128, y.data(), 100, is_faulty);
  return y.values();
}

__global__ void trips_kernel(float* y, bool is_faulty) {
  const int trips = is_faulty && threadIdx.x == 7 ? 3 : 2;
  for (int i = 0; i < trips; ++i) {
    __syncthreads();
  }
  y[threadIdx.x] = 1.0F;
}

Results unequal_trips(bool is_faulty) {
  Buffer<float> y(64);
  launch(trips_kernel, 1, 64, y.data(), is_faulty);
  return y.values();
}

__global__ void flag_kernel(float* y, bool is_faulty) {
  DUEL_SHARED(flag, int);
  if (threadIdx.x == 0) {
    flag = 0;
  }
  __syncthreads();
  if (threadIdx.x == 0 && !is_faulty) {
    atomicExch(&flag, 1);
  }
  while (atomicAdd(&flag, 0) == 0) {
    __nanosleep(100);
  }
  y[threadIdx.x] = 1.0F;
}

Results flag_never_set(bool is_faulty) {
  Buffer<float> y(64);
  launch(flag_kernel, 1, 64, y.data(), is_faulty);
  return y.values();
}

}  // namespace

std::vector<Fault> barrier_faults() {
  using enum Verdict;
  return {
      {"barrier_missing_before_reading", wrong, wrong, sanitizer, sanitizer, missing_before_reading},
      {"barrier_missing_in_warp", wrong, wrong, sanitizer, sanitizer, missing_in_warp},
      {"barrier_missing_before_writing", wrong, wrong, sanitizer, wrong, missing_before_writing},
      {"barrier_missing_between_reductions", wrong, wrong, sanitizer, wrong, missing_between_reductions},
      {"barrier_by_half_the_block", error, error, error, error, by_half_the_block},
      {"barrier_in_two_places", error, error, error, error, in_two_places},
      {"barrier_after_early_return", error, error, error, error, after_early_return},
      {"barrier_unequal_trips", error, error, error, error, unequal_trips},
      {"flag_never_set", error, error, error, error, flag_never_set},
  };
}

}  // namespace duel::faults
