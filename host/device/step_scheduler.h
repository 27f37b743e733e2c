// Launches the steps of a training in groups, and brings their scalars back without waiting for them.
//
// The device keeps the scalars of its newest steps in a ring; behind each group its rows are copied to a ring in pinned
// memory, and handed on, in order and once each, when a later look finds the copy done. The host waits only where a
// group would overwrite rows that nobody has read yet, and in drain().
#pragma once

#include "host/device/device_queue.h"
#include "host/device/upload_ring.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace duel {

class StepScheduler {
public:
  struct Layout {
    const float* ring = nullptr;  // on the device, [rows, columns]; step s has row s mod rows
    int rows = 0, columns = 0;
    int steps_per_launch = 1;     // at most `rows`
    std::int64_t first_step = 0;  // steps that were done before
    int cycle = 1;                // of the work: step s is at place s mod cycle
  };

  // The scalars of a step. `steps_done` counts it too: 1 for the first step of all. The callback may throw, which ends
  // the run: what it has seen is not shown again.
  using OnRow = std::function<void(std::int64_t steps_done, std::span<const float> row)>;

  // `uploads`, where given, brings the batches. Queue and uploads outlive the scheduler.
  StepScheduler(DeviceQueue& queue, DeviceQueue::Work step, const Layout& layout, OnRow on_row,
                UploadRing* uploads = nullptr);
  // Waits for what was launched, and drops rows that were not handed on.
  ~StepScheduler();
  StepScheduler(const StepScheduler&) = delete;
  StepScheduler& operator=(const StepScheduler&) = delete;

  // Launches groups until `steps_done` steps have been, or until `stop`, asked between groups, is true. No group goes
  // beyond: whatever is due after that step finds the device's state as that step leaves it.
  void run_to(std::int64_t steps_done, const std::function<bool()>& stop = {});

  // Waits for every step launched, and hands on every row.
  void drain();

  std::int64_t steps_launched() const { return launched_; }
  void set_steps_per_launch(int steps);                    // at most as many as there are rows
  void set_step(DeviceQueue::Work step) { step_ = step; }  // what is launched from now on

private:
  struct Group {
    std::int64_t first = 0;
    int steps = 0;
    std::size_t events = 0;
  };
  struct Events {
    DeviceQueue::Event ran, copied;
  };

  void launch(int steps);
  void copy_rows(const Group& group);
  void hand_on_oldest();

  DeviceQueue& queue_;
  DeviceQueue::Work step_;
  Layout layout_;
  OnRow on_row_;
  UploadRing* uploads_;
  float* pinned_;               // [rows, columns], as on the device
  std::vector<Events> events_;  // of the groups in flight, in turn
  std::size_t next_events_ = 0;
  std::deque<Group> groups_;  // launched, and not handed on
  std::int64_t launched_;
};

}  // namespace duel
