// Batches on their way to the device: threads fill pinned slots, the upload stream copies them to device slots, the
// steps read those. Step s has slot s mod `slots` on both sides.
//
// Three orders hold, each by an event: a pinned slot is filled again only after its upload; a device slot is
// overwritten only after the last step that reads it; a step starts only after the upload of its slot. Only the owner's
// thread touches the queue; the filling threads see nothing but pinned memory.
#pragma once

#include "host/device/device_queue.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace duel {

class UploadRing {
public:
  // Writes the batch of `step` to `pinned`. Several threads call it at once, for different steps.
  using Fill = std::function<void(std::int64_t step, std::byte* pinned)>;

  struct Layout {
    std::byte* device = nullptr;  // [slots, slot_bytes], outlives the ring
    std::size_t slot_bytes = 0;
    int slots = 0;    // the most steps of a group; twice as many let uploads and steps overlap
    int threads = 0;  // that fill; 0: the caller's own
    std::int64_t first_step = 0;
  };

  UploadRing(DeviceQueue& queue, const Layout& layout, Fill fill);
  // Does not wait for batches that are asked for but not begun; waits for those begun, and for uploads that run.
  ~UploadRing();
  UploadRing(const UploadRing&) = delete;
  UploadRing& operator=(const UploadRing&) = delete;

  // Asks for the batches that have a free pinned slot, and queues the uploads that are ready. Never waits. What Fill
  // has thrown comes out here or in acquire().
  void pump();

  // Makes the compute stream wait for the batches of the next `count` steps; waits itself until they are filled.
  void acquire(int count);
  // The next `count` steps were launched: their slots are free once the compute stream gets here.
  void release(int count);

  // How long acquire() has waited for batches that were not filled yet: the device may have stood still meanwhile.
  double waited_seconds() const { return waited_seconds_; }

private:
  struct Slot {
    std::byte* pinned = nullptr;
    DeviceQueue::Event uploaded{}, read{};
    DeviceQueue::Event last_read = -1;  // `read` of the slot that ended the group of this one's last step
  };

  Slot& slot_of(std::int64_t step) { return slots_[index_of(step)]; }
  std::size_t index_of(std::int64_t step) const { return static_cast<std::size_t>(step) % slots_.size(); }
  bool is_pinned_slot_free(std::int64_t step);
  bool is_filled(std::int64_t step);
  void wait_filled(std::int64_t step);
  void order_batches();
  void send(std::int64_t step);
  void fill_one(std::int64_t step);
  void fill_until_stopped();

  DeviceQueue& queue_;
  const Layout layout_;
  const Fill fill_;
  std::vector<Slot> slots_;
  // Steps below these were ordered from the filling threads, uploaded, launched: all queued, not necessarily done.
  std::int64_t ordered_, uploaded_, released_;
  double waited_seconds_ = 0;

  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::deque<std::int64_t> orders_;
  std::vector<std::int64_t> filled_;  // the step whose batch lies in each pinned slot, or -1
  std::exception_ptr error_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace duel
