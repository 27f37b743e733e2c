// Faults in what is read: values that nobody has written.
#include "emulator/faults/fault.h"
#include "kernels/cuda/platform.cuh"

namespace duel::faults {

namespace {

__global__ void static_shared_kernel(float* y, bool is_faulty) {
  DUEL_SHARED(twos, float[64]);
  if (!is_faulty || threadIdx.x != 5) {
    twos[threadIdx.x] = 2.0F;
  }
  __syncthreads();
  y[blockIdx.x * 64 + threadIdx.x] = twos[threadIdx.x];
}

Results static_shared(bool is_faulty) {
  Buffer<float> y(128);
  launch(static_shared_kernel, 2, 64, y.data(), is_faulty);
  return y.values();
}

__global__ void dynamic_shared_kernel(float* y, bool is_faulty) {
  DUEL_DYNAMIC_SHARED(float, twos);
  if (!is_faulty || threadIdx.x != 5) {
    twos[threadIdx.x] = 2.0F;
  }
  __syncthreads();
  y[blockIdx.x * 64 + threadIdx.x] = twos[threadIdx.x];
}

Results dynamic_shared(bool is_faulty) {
  Buffer<float> y(128);
  emulator::launch(dynamic_shared_kernel, 2, 64, 64 * sizeof(float), nullptr, y.data(), is_faulty);
  return y.values();
}

// fmaxf returns the number where the other one is NaN, so that NaN does not show.
__global__ void hidden_by_maximum_kernel(float* y, bool is_faulty) {
  DUEL_SHARED(values, float[65]);
  values[threadIdx.x] = 2.0F;
  if (!is_faulty && threadIdx.x == 0) {
    values[64] = 0.0F;
  }
  __syncthreads();
  y[threadIdx.x] = fmaxf(values[threadIdx.x], values[64]);
}

Results hidden_by_maximum(bool is_faulty) {
  Buffer<float> y(64);
  launch(hidden_by_maximum_kernel, 1, 64, y.data(), is_faulty);
  return y.values();
}

__global__ void global_kernel(float* y, bool is_faulty) {
  if (is_faulty) {
    y[threadIdx.x] += 1.0F;
  } else {
    y[threadIdx.x] = 1.0F;
  }
}

Results global(bool is_faulty) {
  Buffer<float> y(64);
  launch(global_kernel, 1, 64, y.data(), is_faulty);
  return y.values();
}

// Volatile, as an optimiser that sees the fault may do with it what it likes.
__global__ void local_kernel(float* y, bool is_faulty) {
  volatile float values[4];
  for (int i = 0; i < (is_faulty ? 3 : 4); ++i) {
    values[i] = static_cast<float>(i) + 7.0F;
  }
  y[threadIdx.x] = values[threadIdx.x % 4];
}

Results local(bool is_faulty) {
  Buffer<float> y(32);
  launch(local_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

}  // namespace

std::vector<Fault> undefined_faults() {
  using enum Verdict;
  return {
      {"unwritten_static_shared", wrong, wrong, wrong, sanitizer, static_shared},
      {"unwritten_dynamic_shared", wrong, wrong, wrong, sanitizer, dynamic_shared},
      {"unwritten_hidden_by_maximum", silence, silence, silence, sanitizer, hidden_by_maximum},
      {"unwritten_global", wrong, wrong, wrong, sanitizer, global},
      {"unwritten_local", silence, silence, silence, sanitizer, local},
  };
}

}  // namespace duel::faults
