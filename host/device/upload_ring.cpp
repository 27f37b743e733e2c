#include "host/device/upload_ring.h"

#include "host/device/timing.h"
#include "kernels/check.h"

#include <utility>

namespace duel {

using Stream = DeviceQueue::Stream;

UploadRing::UploadRing(DeviceQueue& queue, const Layout& layout, Fill fill)
    : queue_(queue),
      layout_(layout),
      fill_(std::move(fill)),
      slots_(static_cast<std::size_t>(layout.slots)),
      ordered_(layout.first_step),
      uploaded_(layout.first_step),
      released_(layout.first_step),
      filled_(slots_.size(), -1) {
  for (Slot& slot : slots_) {
    slot = {queue.allocate_pinned(layout.slot_bytes), queue.make_event(), queue.make_event()};
  }
  for (int i = 0; i < layout.threads; ++i) {
    threads_.emplace_back([this] { fill_until_stopped(); });
  }
}

UploadRing::~UploadRing() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  threads_.clear();  // joins
  try {
    if (uploaded_ > layout_.first_step) {
      queue_.wait(slot_of(uploaded_ - 1).uploaded);  // the owner may release the device's slots now
    }
  } catch (const Error&) {  // a device that is lost runs no copy any more
  }
}

bool UploadRing::is_pinned_slot_free(std::int64_t step) {
  const std::int64_t before = step - layout_.slots;
  return before < layout_.first_step || (before < uploaded_ && queue_.is_done(slot_of(step).uploaded));
}

void UploadRing::order_batches() {
  const std::int64_t begin = ordered_;
  while (is_pinned_slot_free(ordered_)) {
    if (layout_.threads == 0) {
      fill_one(ordered_);
    } else {
      const std::lock_guard lock(mutex_);
      orders_.push_back(ordered_);
    }
    ++ordered_;
  }
  if (ordered_ > begin) {
    changed_.notify_all();
  }
}

void UploadRing::send(std::int64_t step) {
  Slot& slot = slot_of(step);
  if (slot.last_read >= 0) {
    queue_.wait(Stream::upload, slot.last_read);
  }
  queue_.upload(layout_.device + index_of(step) * layout_.slot_bytes, slot.pinned, layout_.slot_bytes);
  queue_.record(slot.uploaded, Stream::upload);
}

void UploadRing::pump() {
  order_batches();
  // The last reader of the device's slot must have been launched, or there is no event yet to wait for.
  while (uploaded_ < ordered_ && uploaded_ < released_ + layout_.slots && is_filled(uploaded_)) {
    send(uploaded_);
    ++uploaded_;
  }
}

void UploadRing::acquire(int count) {
  check(count <= layout_.slots, "upload_ring: {} steps in a group, but there are {} slots", count, layout_.slots);
  const std::int64_t end = released_ + count;
  pump();
  while (uploaded_ < end) {
    if (ordered_ == uploaded_) {
      queue_.wait(slot_of(ordered_).uploaded);  // until when the copy still reads the pinned slot
    } else {
      const Clock::time_point begin = Clock::now();
      wait_filled(uploaded_);
      waited_seconds_ += seconds_since(begin);
    }
    pump();
  }
  queue_.wait(Stream::compute, slot_of(end - 1).uploaded);  // the uploads before it are done by then
}

void UploadRing::release(int count) {
  const DeviceQueue::Event read = slot_of(released_ + count - 1).read;
  queue_.record(read, Stream::compute);
  for (int i = 0; i < count; ++i) {
    slot_of(released_ + i).last_read = read;
  }
  released_ += count;
}

bool UploadRing::is_filled(std::int64_t step) {
  const std::lock_guard lock(mutex_);
  if (error_) {
    std::rethrow_exception(error_);
  }
  return filled_[index_of(step)] == step;
}

void UploadRing::wait_filled(std::int64_t step) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || filled_[index_of(step)] == step; });
}

void UploadRing::fill_one(std::int64_t step) {
  std::exception_ptr error;
  try {
    fill_(step, slot_of(step).pinned);
  } catch (...) {
    error = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    if (error && !error_) {
      error_ = error;
    }
    filled_[index_of(step)] = step;
  }
  changed_.notify_all();
}

void UploadRing::fill_until_stopped() {
  while (true) {
    std::int64_t step = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !orders_.empty(); });
      if (stopping_) {
        return;
      }
      step = orders_.front();
      orders_.pop_front();
    }
    fill_one(step);
  }
}

}  // namespace duel
