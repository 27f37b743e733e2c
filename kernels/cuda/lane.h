// One queue of a GPU: a stream, and the memory that operators use while they run on it. Those of two lanes may run at
// the same time, so each lane has all of it for itself.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace duel {

class CudaLane {
public:
  explicit CudaLane(std::size_t scratch_bytes);
  ~CudaLane();  // waits for what was queued
  CudaLane(const CudaLane&) = delete;
  CudaLane& operator=(const CudaLane&) = delete;

  cudaStream_t stream() const { return stream_; }

  // Partial results of reductions and split products: always at hand.
  static constexpr std::size_t kPartialBytes = std::size_t{16} << 20;
  void* partials() const { return partials_; }

  // Counters of finished blocks, zero between kernels: whoever finishes last sets its own back (rule 5 of device.cuh).
  static constexpr int kTickets = 1024;
  unsigned* tickets() const { return tickets_; }

  void* scratch() const { return scratch_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  void reserve_scratch(std::size_t bytes);

  std::size_t workspace_bytes() const { return scratch_bytes_ + kPartialBytes + kTickets * sizeof(unsigned); }

private:
  void release() noexcept;

  cudaStream_t stream_ = nullptr;
  void* partials_ = nullptr;
  unsigned* tickets_ = nullptr;
  void* scratch_ = nullptr;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace duel
