#include "kernels/cuda/lane.h"

#include "kernels/check.h"
#include "kernels/cuda/context.h"

namespace duel {

CudaLane::CudaLane(std::size_t scratch_bytes) {
  try {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cuda: making a stream");
    partials_ = allocate_cuda(kPartialBytes, "the partial results of reductions");
    tickets_ = static_cast<unsigned*>(allocate_cuda(kTickets * sizeof(unsigned), "the counters of finished blocks"));
    check_cuda(cudaMemsetAsync(tickets_, 0, kTickets * sizeof(unsigned), stream_), "cuda: clearing the counters");
    // A graph runs what was captured here elsewhere, and would not wait for it.
    check_cuda(cudaStreamSynchronize(stream_), "cuda: clearing the counters");
    reserve_scratch(scratch_bytes);
  } catch (const Error&) {
    release();
    throw;
  }
}

CudaLane::~CudaLane() {
  release();
}

void CudaLane::release() noexcept {
  cudaStreamSynchronize(stream_);
  cudaFree(tickets_);
  cudaFree(partials_);
  cudaFree(scratch_);
  if (stream_ != nullptr) {
    cudaStreamDestroy(stream_);
  }
}

void CudaLane::reserve_scratch(std::size_t bytes) {
  if (bytes <= scratch_bytes_) {
    return;
  }
  check_cuda(cudaStreamSynchronize(stream_), "cuda: waiting before scratch memory is moved");
  void* larger = allocate_cuda(bytes, "scratch memory");
  check_cuda(cudaFree(scratch_), "cuda: releasing scratch memory");
  scratch_ = larger;
  scratch_bytes_ = bytes;
}

}  // namespace duel
