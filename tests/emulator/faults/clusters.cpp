// Faults in clusters of blocks: barriers that are missing, or not reached by all.
#include "emulator/faults/fault.h"
#include "kernels/cuda/instructions.cuh"

namespace duel::faults {

namespace {

template <class... Arguments>
Results run(void (*kernel)(float*, Arguments...), Arguments... arguments) {
  Buffer<float> y(4 * 32);
  emulator::launch_clusters(kernel, 4, 32, 4, 0, nullptr, y.data(), arguments...);
  return y.values();
}

// What a thread of this block has of the next block of the cluster.
__global__ void next_block_kernel(float* y, bool misses_first, bool misses_last) {
  DUEL_SHARED(own, float[32]);
  const unsigned thread = threadIdx.x, block = blockIdx.x;
  cluster_barrier();  // every block has begun, so its memory is there
  own[thread] = static_cast<float>(32 * block + thread);
  if (!misses_first) {
    cluster_barrier();
  }
  y[32 * block + thread] = *in_cluster(own + thread, (block + 1) % 4);
  if (!misses_last) {
    cluster_barrier();
  }
}

Results missing_before_reading(bool is_faulty) {
  return run(next_block_kernel, is_faulty, false);
}

Results missing_before_the_end(bool is_faulty) {
  return run(next_block_kernel, false, is_faulty);
}

__global__ void some_blocks_kernel(float* y, bool is_faulty) {
  y[32 * blockIdx.x + threadIdx.x] = 1.0F;
  if (!is_faulty || blockIdx.x % 2 == 0) {
    cluster_barrier();
  }
}

Results by_half_the_blocks(bool is_faulty) {
  return run(some_blocks_kernel, is_faulty);
}

__global__ void some_threads_kernel(float* y, bool is_faulty) {
  y[32 * blockIdx.x + threadIdx.x] = 1.0F;
  if (!is_faulty || threadIdx.x < 16) {
    cluster_barrier();
  }
}

Results by_half_of_a_block(bool is_faulty) {
  return run(some_threads_kernel, is_faulty);
}

__global__ void two_places_kernel(float* y, bool is_faulty) {
  y[32 * blockIdx.x + threadIdx.x] = 1.0F;
  if (is_faulty && blockIdx.x == 3) {
    cluster_barrier();
  } else {
    cluster_barrier();
  }
}

Results in_two_places(bool is_faulty) {
  return run(two_places_kernel, is_faulty);
}

}  // namespace

std::vector<Fault> cluster_faults() {
  using enum Verdict;
  return {
      {"cluster_missing_before_reading", wrong, wrong, sanitizer, sanitizer, missing_before_reading},
      {"cluster_missing_before_the_end", wrong, sanitizer, wrong, sanitizer, missing_before_the_end},
      {"cluster_by_half_the_blocks", error, error, error, error, by_half_the_blocks},
      {"cluster_by_half_of_a_block", error, error, error, error, by_half_of_a_block},
      {"cluster_in_two_places", error, error, error, error, in_two_places},
  };
}

}  // namespace duel::faults
