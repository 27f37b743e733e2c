// The CUDA backend's own context: one device, and the lanes that its operators are queued on (lane.h).
//
// Every operator queues its kernels on `stream()` and returns; it and the memory beside it are those of the lane that
// is selected. Whatever is to be kept between calls (scratch, tickets) is allocated when a lane is opened or an
// operator is prepared, never in a call.
#pragma once

#include "kernels/cuda/choice.h"
#include "kernels/cuda/lane.h"
#include "kernels/cuda/vendor.h"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace duel {

class CudaContext {
public:
  CudaContext(int device, bool allow_tf32, KernelChoice choice, std::shared_ptr<ChoiceStore> store);
  ~CudaContext();
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;

  int device() const { return device_; }
  cudaStream_t stream() const { return lane_->stream(); }
  cudaStream_t first_stream() const { return lanes_.front()->stream(); }  // of lane 0
  int multiprocessors() const { return properties_.multiProcessorCount; }
  int compute_capability() const { return 10 * properties_.major + properties_.minor; }  // 90 for 9.0
  const cudaDeviceProp& properties() const { return properties_; }
  bool runs_clusters() const { return runs_clusters_; }  // of blocks: from 9.0 on, by kernels that were built for it
  bool has_clocks() const;                               // that rise under load; the emulated device has none
  bool allows_tf32() const { return allow_tf32_; }  // f32 products may be rounded to TF32 before they are multiplied

  // Who computes what, and the libraries that may.
  Choices& choices() { return *choices_; }
  const Vendor& vendor() const { return *vendor_; }
  std::string identity() const;  // GPU, driver, precision of products, versions: what a measurement holds for

  // Of the lane that is selected: see lane.h.
  static constexpr std::size_t kPartialBytes = CudaLane::kPartialBytes;
  static constexpr int kTickets = CudaLane::kTickets;
  void* partials() const { return lane_->partials(); }
  unsigned* tickets() const { return lane_->tickets(); }

  // Scratch that one operator uses while it runs. `reserve` makes it at least so large, on every lane; only prepare_*
  // may call it, and not once steps were captured, which hold its address.
  void reserve_scratch(std::size_t bytes);
  void* scratch() const { return lane_->scratch(); }
  std::size_t workspace_bytes() const;

  // More would share the multiprocessors of one step's operators among ever smaller ones.
  static constexpr int kMostLanes = 2;
  int lanes() const { return static_cast<int>(lanes_.size()); }
  int selected_lane() const { return selected_lane_; }
  void open_lanes(int lanes, int marks);
  void select_lane(int lane);
  void set_mark(int mark);
  void await_mark(int mark);
  void synchronize();  // all lanes

private:
  void release() noexcept;

  int device_;
  bool allow_tf32_;
  std::unique_ptr<Vendor> vendor_;
  std::unique_ptr<Choices> choices_;
  cudaDeviceProp properties_{};
  bool runs_clusters_ = false;
  std::vector<std::unique_ptr<CudaLane>> lanes_;
  CudaLane* lane_ = nullptr;  // that is selected
  int selected_lane_ = 0;
  std::vector<cudaEvent_t> marks_;
};

// Bytes of the device's memory for `what`, to be given back to cudaFree; throws kind `device` where they do not fit.
void* allocate_cuda(std::size_t bytes, const char* what);

// Throws kind `device` with `what` and CUDA's own text unless `result` is success.
void check_cuda(cudaError_t result, const char* what);

}  // namespace duel
