// Cases for the scheduler and the upload ring, drawn from seeds, and what must hold of them on any queue: every step
// sees its own batch and nobody else's, and every row of scalars comes back right, in order and once.
#pragma once

#include "host/device/step_scheduler.h"
#include "host/device/upload_ring.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace duel::test {

inline constexpr std::size_t kSlotBytes = 24;

struct SchedulerCase {
  int slots, rows, steps_per_launch, threads;
  std::int64_t first, last;
  std::int64_t fails_after = -1;  // steps: the callback throws at this one's row; -1: never
  std::int64_t stops_after = -1;  // the run is stopped as soon as this row was seen; -1: never
  bool drains = true;
  std::vector<std::int64_t> due;  // steps at which the run is looked at: no group may go beyond
};

inline SchedulerCase draw_case(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](int low, int high) { return low + static_cast<int>(random() % (high - low + 1)); };
  SchedulerCase c;
  c.steps_per_launch = draw(1, 5);
  c.slots = c.steps_per_launch + draw(0, 6);
  c.rows = c.steps_per_launch + draw(0, 8);
  c.threads = draw(0, 3);
  c.first = draw(0, 1) * draw(1, 1000);
  c.last = c.first + draw(0, 40);
  const int end = draw(0, 5);
  (end == 0 ? c.fails_after : c.stops_after) = end < 2 ? c.first + draw(1, 30) : -1;
  c.drains = end != 2;
  for (int i = draw(0, 3); i > 0; --i) {
    c.due.push_back(c.first + draw(0, static_cast<int>(c.last - c.first)));
  }
  c.due.push_back(c.last);
  std::sort(c.due.begin(), c.due.end());
  return c;
}

inline std::byte signature(std::int64_t step, std::size_t at) {
  return static_cast<std::byte>(step * 37 + static_cast<std::int64_t>(at) * 11);
}
inline float loss_of(std::int64_t step) {
  return static_cast<float>(step) + 0.25F;
}

// The device's memory and what its steps find wrong there. The counter is the device's, as in a real training.
struct FakeDevice {
  explicit FakeDevice(const SchedulerCase& c)
      : slots(static_cast<std::size_t>(c.slots) * kSlotBytes),
        ring(static_cast<std::size_t>(c.rows) * 2),
        counter(c.first) {}

  void look(const SchedulerCase& c, std::size_t from, std::size_t to) {
    const std::byte* slot = slots.data() + static_cast<std::size_t>(counter % c.slots) * kSlotBytes;
    for (std::size_t i = from; i < to; ++i) {
      wrong_batches += slot[i] != signature(counter, i) ? 1 : 0;
    }
  }

  std::vector<std::byte> slots;
  std::vector<float> ring;  // [rows, 2]
  std::int64_t counter;
  int wrong_batches = 0;
};

struct PlannedFailure : std::runtime_error {
  PlannedFailure() : std::runtime_error("the callback fails") {}
};

// Runs the case; the device outlives the queue, whose faults may leave work behind. Says what went wrong, "" where
// nothing did.
template <class Queue>
std::string run_case(const SchedulerCase& c, FakeDevice& device, Queue& queue) {
  std::vector<std::int64_t> seen;
  std::string problem;
  std::int64_t launched = 0;
  bool failed = false;
  {
    const auto work = queue.add_work([&] {
      queue.on_compute([&] { device.look(c, 0, kSlotBytes / 2); });
      queue.on_compute([&] {
        device.look(c, kSlotBytes / 2, kSlotBytes);
        float* row = device.ring.data() + device.counter % c.rows * 2;
        row[0] = loss_of(device.counter);
        row[1] = -row[0];
        ++device.counter;
      });
    });
    UploadRing uploads(queue, {device.slots.data(), kSlotBytes, c.slots, c.threads, c.first},
                       [](std::int64_t step, std::byte* pinned) {
                         for (std::size_t i = 0; i < kSlotBytes; ++i) {
                           pinned[i] = signature(step, i);
                         }
                       });
    StepScheduler scheduler(
        queue, work, {device.ring.data(), c.rows, 2, c.steps_per_launch, c.first},
        [&](std::int64_t done, std::span<const float> row) {
          if (row[0] != loss_of(done - 1) || row[1] != -row[0]) {
            problem += fmt::format("row of step {} is {} {}; ", done, row[0], row[1]);
          }
          seen.push_back(done);
          if (done == c.fails_after) {
            throw PlannedFailure();
          }
        },
        &uploads);
    const auto stop = [&] { return c.stops_after >= 0 && !seen.empty() && seen.back() >= c.stops_after; };
    try {
      for (const std::int64_t due : c.due) {
        scheduler.run_to(due, stop);
        if (scheduler.steps_launched() > due) {
          problem += fmt::format("launched {} steps, but {} were due; ", scheduler.steps_launched(), due);
        }
      }
      if (!stop() && scheduler.steps_launched() != c.last) {
        problem += fmt::format("ended at {} instead of {}; ", scheduler.steps_launched(), c.last);
      }
      if (c.drains) {
        scheduler.drain();
      }
    } catch (const PlannedFailure&) {
      failed = true;
    }
    launched = scheduler.steps_launched();
  }
  // Nothing may run any more that touches the device's memory: what was launched has ended.
  if (device.counter != launched) {
    problem += fmt::format("{} steps ran of {} launched; ", device.counter, launched);
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (seen[i] != c.first + 1 + static_cast<std::int64_t>(i)) {
      problem += fmt::format("row {} came as number {}; ", seen[i], i);
      break;
    }
  }
  if (c.drains && !failed && static_cast<std::int64_t>(seen.size()) != launched - c.first) {
    problem += fmt::format("{} rows of {} steps; ", seen.size(), launched - c.first);
  }
  if (device.wrong_batches > 0) {
    problem += fmt::format("{} bytes of other batches; ", device.wrong_batches);
  }
  return problem;
}

}  // namespace duel::test
