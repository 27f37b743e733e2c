// The one file of the benches that names CUDA: no operator of the engine is a plain copy, and a ceiling measured with a
// kernel of ours would flatter ours.
#include "kernels/cuda/context.h"
#include "profiling/copy_speed.h"

#include <algorithm>

namespace duel {

double copy_gigabytes_per_second_cuda() {
  constexpr std::size_t kBytes = std::size_t{1} << 30;  // far larger than any L2
  constexpr int kCopies = 10;
  void *from = nullptr, *to = nullptr;
  cudaEvent_t begin = nullptr, end = nullptr;
  check_cuda(cudaMalloc(&from, kBytes), "copy: allocating");
  check_cuda(cudaMalloc(&to, kBytes), "copy: allocating");
  check_cuda(cudaMemset(from, 0x3C, kBytes), "copy: filling");
  check_cuda(cudaEventCreate(&begin), "copy: making an event");
  check_cuda(cudaEventCreate(&end), "copy: making an event");
  double best = 0;
  for (int round = 0; round < 4; ++round) {
    check_cuda(cudaEventRecord(begin), "copy: recording");
    for (int i = 0; i < kCopies; ++i) {
      check_cuda(cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice), "copy: copying");
    }
    check_cuda(cudaEventRecord(end), "copy: recording");
    check_cuda(cudaEventSynchronize(end), "copy: waiting");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin, end), "copy: reading the time");
    best = std::max(best, 2.0 * kCopies * static_cast<double>(kBytes) / static_cast<double>(milliseconds) / 1e6);
  }
  check_cuda(cudaEventDestroy(begin), "copy: releasing");
  check_cuda(cudaEventDestroy(end), "copy: releasing");
  check_cuda(cudaFree(from), "copy: releasing");
  check_cuda(cudaFree(to), "copy: releasing");
  return best;
}

}  // namespace duel
