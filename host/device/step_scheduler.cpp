#include "host/device/step_scheduler.h"

#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

using Stream = DeviceQueue::Stream;

StepScheduler::StepScheduler(DeviceQueue& queue, DeviceQueue::Work step, const Layout& layout, OnRow on_row,
                             UploadRing* uploads)
    : queue_(queue),
      step_(step),
      layout_(layout),
      on_row_(std::move(on_row)),
      uploads_(uploads),
      pinned_(reinterpret_cast<float*>(
          queue.allocate_pinned(static_cast<std::size_t>(layout.rows) * layout.columns * sizeof(float)))),
      events_(static_cast<std::size_t>(layout.rows)),  // every group in flight holds a row at least
      launched_(layout.first_step) {
  set_steps_per_launch(layout.steps_per_launch);
  for (Events& events : events_) {
    events = {queue.make_event(), queue.make_event()};
  }
}

StepScheduler::~StepScheduler() {
  try {
    if (!groups_.empty()) {
      queue_.wait(events_[groups_.back().events].copied);  // the owner may release the device's memory now
    }
  } catch (const Error&) {  // a device that is lost runs nothing any more
  }
}

void StepScheduler::set_steps_per_launch(int steps) {
  check(steps >= 1 && steps <= layout_.rows, "step_scheduler: {} steps in a launch, but the ring has {} rows", steps,
        layout_.rows);
  layout_.steps_per_launch = steps;
}

void StepScheduler::run_to(std::int64_t steps_done, const std::function<bool()>& stop) {
  while (launched_ < steps_done && !(stop && stop())) {
    launch(static_cast<int>(std::min<std::int64_t>(layout_.steps_per_launch, steps_done - launched_)));
    while (!groups_.empty() && queue_.is_done(events_[groups_.front().events].copied)) {
      hand_on_oldest();
    }
  }
}

void StepScheduler::drain() {
  while (!groups_.empty()) {
    hand_on_oldest();
  }
}

void StepScheduler::launch(int steps) {
  // A row of the ring, here or on the device, is written again only after it was handed on.
  while (!groups_.empty() && launched_ + steps - groups_.front().first > layout_.rows) {
    hand_on_oldest();
  }
  if (uploads_ != nullptr) {
    uploads_->acquire(steps);
  }
  queue_.launch(step_, steps, static_cast<int>(launched_ % layout_.cycle));
  if (uploads_ != nullptr) {
    uploads_->release(steps);
  }
  const Group group{launched_, steps, next_events_};
  next_events_ = (next_events_ + 1) % events_.size();
  launched_ += steps;
  copy_rows(group);
  groups_.push_back(group);
  if (uploads_ != nullptr) {
    uploads_->pump();
  }
}

void StepScheduler::copy_rows(const Group& group) {
  const Events& events = events_[group.events];
  queue_.record(events.ran, Stream::compute);
  queue_.wait(Stream::download, events.ran);
  for (int done = 0; done < group.steps;) {  // twice where the ring wraps
    const int row = static_cast<int>((group.first + done) % layout_.rows);
    const int rows = std::min(group.steps - done, layout_.rows - row);
    const std::ptrdiff_t begin = std::ptrdiff_t{row} * layout_.columns;
    queue_.download(pinned_ + begin, layout_.ring + begin,
                    static_cast<std::size_t>(rows) * layout_.columns * sizeof(float));
    done += rows;
  }
  queue_.record(events.copied, Stream::download);
}

void StepScheduler::hand_on_oldest() {
  // Taken off row by row, before the callback sees it: if that throws, nothing comes twice.
  queue_.wait(events_[groups_.front().events].copied);
  while (groups_.front().steps > 0) {
    Group& group = groups_.front();
    const std::int64_t step = group.first;
    ++group.first;
    --group.steps;
    const std::ptrdiff_t begin = step % layout_.rows * layout_.columns;
    on_row_(step + 1, {pinned_ + begin, static_cast<std::size_t>(layout_.columns)});
  }
  groups_.pop_front();
}

}  // namespace duel
