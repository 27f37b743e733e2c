#include "host/device/inline_queue.h"

#include <cstring>
#include <utility>

namespace duel {

std::byte* InlineQueue::allocate_pinned(std::size_t bytes) {
  memory_.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes));  // no memory until it is written
  return memory_.back().get();
}

DeviceQueue::Work InlineQueue::add_cycle(StepCycle steps) {
  work_.push_back(std::move(steps));
  return static_cast<Work>(work_.size()) - 1;
}

void InlineQueue::upload(void* device, const void* pinned, std::size_t bytes) {
  std::memcpy(device, pinned, bytes);
}

void InlineQueue::download(void* pinned, const void* device, std::size_t bytes) {
  std::memcpy(pinned, device, bytes);
}

void InlineQueue::copy(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
}

void InlineQueue::launch(Work work, int steps, int place) {
  work_[static_cast<std::size_t>(work)].queue(steps, place);
}

}  // namespace duel
