// The scheduler's device interface on the CUDA runtime: three streams, events, pinned memory, and steps captured once
// as graphs and then replayed.
//
// The compute stream is the context's own, on which its operators queue their kernels. A graph holds their arguments,
// addresses included: whatever a step uses is allocated before its first launch and stays until the queue is gone.
#pragma once

#include "host/device/device_queue.h"
#include "kernels/context.h"

#include <cuda_runtime_api.h>

#include <vector>

namespace duel {

class CudaQueue : public DeviceQueue {
public:
  // The context outlives the queue.
  CudaQueue(Context& context, bool graphs);
  ~CudaQueue() override;  // waits for what was queued; silent where the device is lost
  CudaQueue(const CudaQueue&) = delete;
  CudaQueue& operator=(const CudaQueue&) = delete;

  Event make_event() override;
  std::byte* allocate_pinned(std::size_t bytes) override;
  Work add_cycle(StepCycle steps) override;
  void record(Event event, Stream stream) override;
  void wait(Stream stream, Event event) override;
  bool is_done(Event event) override;
  void wait(Event event) override;
  void upload(void* device, const void* pinned, std::size_t bytes) override;
  void download(void* pinned, const void* device, std::size_t bytes) override;
  void copy(void* to, const void* from, std::size_t bytes) override;
  void launch(Work work, int steps, int place = 0) override;

private:
  struct Graph {
    int steps = 0, place = 0;
    cudaGraphExec_t executable = nullptr;
  };
  struct Captured {
    StepCycle steps;
    std::vector<Graph> graphs;
  };

  cudaStream_t stream(Stream stream) const { return streams_[static_cast<int>(stream)]; }
  cudaGraphExec_t graph_of(Captured& work, int steps, int place);
  cudaGraph_t capture(const StepCycle& cycle, int steps, int place);
  void release() noexcept;

  bool graphs_;
  cudaStream_t streams_[3] = {};
  std::vector<cudaEvent_t> events_;
  std::vector<void*> pinned_;
  std::vector<Captured> work_;
};

}  // namespace duel
