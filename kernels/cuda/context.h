// The CUDA backend's own context: one device, one stream, and the scratch memory that its operators share.
//
// Every operator queues its kernels on `stream()` and returns. Whatever is to be kept between calls (scratch, tickets)
// is allocated when the context is made or an operator is prepared, never in a call.
#pragma once

#include "kernels/cuda/choice.h"
#include "kernels/cuda/vendor.h"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>

namespace duel {

class CudaContext {
public:
  CudaContext(int device, bool allow_tf32, KernelChoice choice, std::shared_ptr<ChoiceStore> store);
  ~CudaContext();
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;

  int device() const { return device_; }
  cudaStream_t stream() const { return stream_; }
  int multiprocessors() const { return properties_.multiProcessorCount; }
  int compute_capability() const { return 10 * properties_.major + properties_.minor; }  // 90 for 9.0
  const cudaDeviceProp& properties() const { return properties_; }
  bool allows_tf32() const { return allow_tf32_; }  // f32 products may be rounded to TF32 before they are multiplied

  // Who computes what, and the libraries that may.
  Choices& choices() { return *choices_; }
  const Vendor& vendor() const { return *vendor_; }
  std::string identity() const;  // GPU, driver, precision of products, versions: what a measurement holds for

  // Partial results of reductions and split products: always at hand.
  static constexpr std::size_t kPartialBytes = std::size_t{16} << 20;
  void* partials() const { return partials_; }

  // Counters of finished blocks, zero between kernels: whoever finishes last sets its own back (rule 6 of the README).
  static constexpr int kTickets = 1024;
  unsigned* tickets() const { return tickets_; }

  // Scratch that one operator uses while it runs. `reserve` makes it at least so large; only prepare_* may call it, and
  // not once steps were captured, which hold its address.
  void reserve_scratch(std::size_t bytes);
  void* scratch() const { return scratch_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::size_t workspace_bytes() const;

private:
  void release() noexcept;

  int device_;
  bool allow_tf32_;
  std::unique_ptr<Vendor> vendor_;
  std::unique_ptr<Choices> choices_;
  cudaDeviceProp properties_{};
  cudaStream_t stream_ = nullptr;
  void* partials_ = nullptr;
  void* scratch_ = nullptr;
  std::size_t scratch_bytes_ = 0;
  unsigned* tickets_ = nullptr;
};

// Throws kind `device` with `what` and CUDA's own text unless `result` is success.
void check_cuda(cudaError_t result, const char* what);

}  // namespace duel
