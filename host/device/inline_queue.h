// The queue of a device that computes where the host does: everything is done when a call returns.
#pragma once

#include "host/device/device_queue.h"

#include <memory>
#include <vector>

namespace duel {

class InlineQueue : public DeviceQueue {
public:
  bool is_inline() const override { return true; }
  Event make_event() override { return 0; }
  std::byte* allocate_pinned(std::size_t bytes) override;
  Work add_cycle(StepCycle steps) override;
  void record(Event, Stream) override {}
  void wait(Stream, Event) override {}
  bool is_done(Event) override { return true; }
  void wait(Event) override {}
  void upload(void* device, const void* pinned, std::size_t bytes) override;
  void download(void* pinned, const void* device, std::size_t bytes) override;
  void copy(void* to, const void* from, std::size_t bytes) override;
  void launch(Work work, int steps, int place = 0) override;

private:
  std::vector<StepCycle> work_;
  std::vector<std::unique_ptr<std::byte[]>> memory_;
};

}  // namespace duel
