// Faults in asynchronous copies.
#include "emulator/faults/fault.h"
#include "kernels/cuda/instructions.cuh"

namespace duel::faults {

namespace {

enum class Mistake { none, no_wait, no_barrier, too_early, misaligned, not_shared };

// y is x backwards, by way of shared memory; twice, through the same buffer.
__global__ void reverse_twice_kernel(const float* x, float* y, float* elsewhere, Mistake mistake) {
  DUEL_SHARED_ALIGNED(16, buffer, float[128]);
  const int begin = static_cast<int>(threadIdx.x) * 4;
  for (int round = 0; round < 2; ++round) {
    float* to = mistake == Mistake::not_shared ? elsewhere + begin : buffer + begin;
    const float* from = x + round * 128 + begin;
    copy_async<16>(to, mistake == Mistake::misaligned ? from + 1 : from, 16);
    copy_commit();
    if (mistake == Mistake::no_wait) {
      copy_wait<1>();
    } else {
      copy_wait<0>();
    }
    if (mistake != Mistake::no_barrier) {
      __syncthreads();  // the other threads' copies have landed
    }
    for (int i = begin; i < begin + 4; ++i) {
      y[round * 128 + i] = buffer[127 - i];
    }
    if (mistake != Mistake::too_early) {
      __syncthreads();  // the next copies overwrite what is read here
    }
  }
}

Results reverse_twice(Mistake mistake) {
  Numbers x(256 + 4);
  Buffer<float> y(256), elsewhere(128);
  launch(reverse_twice_kernel, 1, 32, x.data(), y.data(), elsewhere.data(), mistake);
  return y.values();
}

template <Mistake TheMistake>
Results run(bool is_faulty) {
  return reverse_twice(is_faulty ? TheMistake : Mistake::none);
}

}  // namespace

std::vector<Fault> copy_faults() {
  using enum Verdict;
  return {
      {"copy_without_wait", wrong, wrong, wrong, sanitizer, run<Mistake::no_wait>},
      {"copy_without_barrier", wrong, wrong, sanitizer, sanitizer, run<Mistake::no_barrier>},
      {"copy_before_all_have_read", wrong, wrong, sanitizer, wrong, run<Mistake::too_early>},
      {"copy_misaligned", error, error, error, error, run<Mistake::misaligned>},
      {"copy_to_global", error, error, error, error, run<Mistake::not_shared>},
  };
}

}  // namespace duel::faults
