// Faults between threads that no barrier is meant to order. Most give the right result under every schedule of the
// emulator, as its threads take turns: they are for ThreadSanitizer.
#include "emulator/faults/fault.h"
#include "kernels/cuda/platform.cuh"

namespace duel::faults {

namespace {

__global__ void sum_in_block_kernel(const float* x, float* y, bool is_faulty) {
  if (is_faulty) {
    y[0] += x[threadIdx.x];
  } else {
    atomicAdd(y, x[threadIdx.x]);
  }
}

Results update_in_block(bool is_faulty) {
  Numbers x(64);
  Buffer<float> y(1, 0.0F);
  launch(sum_in_block_kernel, 1, 64, x.data(), y.data(), is_faulty);
  return y.values();
}

__global__ void sum_of_blocks_kernel(const float* x, float* y, bool is_faulty) {
  __syncthreads();  // what a block waits for inside orders nothing between blocks
  if (threadIdx.x == 0) {
    if (is_faulty) {
      y[0] += x[blockIdx.x];
    } else {
      atomicAdd(y, x[blockIdx.x]);
    }
  }
  __syncthreads();
}

Results update_between_blocks(bool is_faulty) {
  Numbers x(64);
  Buffer<float> y(1, 0.0F);
  launch(sum_of_blocks_kernel, 64, 64, x.data(), y.data(), is_faulty);
  return y.values();
}

__global__ void chain_kernel(float* y, bool is_faulty) {
  if (threadIdx.x == 0) {
    y[blockIdx.x + 1] = is_faulty ? y[blockIdx.x] + 1.0F : static_cast<float>(blockIdx.x + 1);
  }
}

Results neighbour_not_finished(bool is_faulty) {
  Buffer<float> y(65, 0.0F);
  launch(chain_kernel, 64, 32, y.data(), is_faulty);
  return y.values();
}

// The block that finishes last adds up what the others wrote. Its atomic says that they have finished; only the fences
// say that what they wrote is seen.
__global__ void last_block_kernel(const float* x, float* partial, unsigned* ticket, float* y, bool is_faulty) {
  if (threadIdx.x != 0) {
    return;
  }
  partial[blockIdx.x] = 2.0F * x[blockIdx.x];
  if (!is_faulty) {
    __threadfence();
  }
  if (atomicAdd(ticket, 1U) == gridDim.x - 1) {
    if (!is_faulty) {
      __threadfence();
    }
    float sum = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) {
      sum += partial[i];
    }
    y[0] = sum;
  }
}

Results missing_fence(bool is_faulty) {
  Numbers x(8);
  Buffer<float> partial(8), y(1);
  Buffer<unsigned> ticket(1, 0U);
  launch(last_block_kernel, 8, 32, x.data(), partial.data(), ticket.data(), y.data(), is_faulty);
  return y.values();
}

__global__ void same_value_kernel(float* y, bool is_faulty) {
  if (is_faulty || threadIdx.x == 0) {
    y[0] = 1.0F;
  }
}

Results two_writers(bool is_faulty) {
  Buffer<float> y(1);
  launch(same_value_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

}  // namespace

std::vector<Fault> race_faults() {
  using enum Verdict;
  return {
      {"update_in_block", silence, silence, sanitizer, silence, update_in_block},
      {"update_between_blocks", silence, silence, sanitizer, silence, update_between_blocks},
      {"neighbour_not_finished", wrong, wrong, sanitizer, wrong, neighbour_not_finished},
      {"missing_fence", silence, silence, sanitizer, silence, missing_fence},
      {"two_writers_of_one_value", silence, silence, sanitizer, silence, two_writers},
  };
}

}  // namespace duel::faults
