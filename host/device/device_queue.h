// What the scheduler needs of a device, and nothing else: three streams, events between them, copies, and launches.
//
// Each stream runs what it is given in order; between streams only events order anything. CudaQueue (host/device/cuda)
// hands this to the CUDA runtime, InlineQueue does everything when it is called, and the tests have queues that run
// work late and in any order that the events allow. One thread uses a queue. Errors are of kind `device`.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

namespace duel {

// Steps that may differ, but come again after `cycle` of them; queue_step is told its place among these.
struct StepCycle {
  std::function<void(int place)> queue_step;
  int cycle = 1;

  void queue(int steps, int place) const {
    for (int i = 0; i < steps; ++i) {
      queue_step((place + i) % cycle);
    }
  }
};

class DeviceQueue {
public:
  // Downloads have a stream of their own: behind the uploads, a download that waits for a step would hold up the
  // batches of the steps after it.
  enum class Stream { compute, upload, download };
  using Event = int;
  using Work = int;

  virtual ~DeviceQueue() = default;

  // Whether everything is done when a call returns: then nothing overlaps, and nobody need work ahead.
  virtual bool is_inline() const { return false; }

  // Events, pinned memory and work live as long as the queue.
  virtual Event make_event() = 0;
  virtual std::byte* allocate_pinned(std::size_t bytes) = 0;
  // `queue_step` queues one step's operators on the compute stream. The queue may call it for every step, or a few
  // times only, to record what it queues.
  virtual Work add_cycle(StepCycle steps) = 0;
  Work add_work(std::function<void()> queue_step) {  // of steps that are all alike
    return add_cycle({[queue_step = std::move(queue_step)](int) { queue_step(); }});
  }

  // The event is done when all that the stream was given before is. Recording again begins anew.
  virtual void record(Event event, Stream stream) = 0;
  // What the stream is given from now on starts after the event as it was last recorded before this call.
  virtual void wait(Stream stream, Event event) = 0;
  // The same two questions asked by the host, about the last recording.
  virtual bool is_done(Event event) = 0;
  virtual void wait(Event event) = 0;

  // Copies between pinned and device memory, on the stream of that name. They read their source when they run.
  virtual void upload(void* device, const void* pinned, std::size_t bytes) = 0;
  virtual void download(void* pinned, const void* device, std::size_t bytes) = 0;
  // From one device array to another, on the compute stream.
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;

  // `steps` steps of the work, on the compute stream, the first of them at `place` of its cycle.
  virtual void launch(Work work, int steps, int place = 0) = 0;
};

}  // namespace duel
