// The scheduler and the upload ring on devices that run work late and in any order that the events allow: every step
// must see its own batch and nobody else's, and every row of scalars must come back right, in order and once. Each case
// is drawn from a seed: ring sizes, steps in a launch, threads that fill, where a run is cut into pieces, and how it
// ends.
#include "host/step_scheduler.h"

#include "host/upload_ring.h"
#include "kernels/check.h"
#include "tests/support/fake_queue.h"
#include "tests/support/thread_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>

namespace duel::test {

namespace {

constexpr std::size_t kSlotBytes = 24;

struct Case {
  int slots, rows, steps_per_launch, threads;
  std::int64_t first, last;
  std::int64_t fails_after = -1;  // steps: the callback throws at this one's row; -1: never
  std::int64_t stops_after = -1;  // the run is stopped as soon as this row was seen; -1: never
  bool drains = true;
  std::vector<std::int64_t> due;  // steps at which the run is looked at: no group may go beyond
};

Case draw_case(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](int low, int high) { return low + static_cast<int>(random() % (high - low + 1)); };
  Case c;
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

std::byte signature(std::int64_t step, std::size_t at) {
  return static_cast<std::byte>(step * 37 + static_cast<std::int64_t>(at) * 11);
}
float loss_of(std::int64_t step) {
  return static_cast<float>(step) + 0.25F;
}

// The device's memory and what its steps find wrong there. The counter is the device's, as in a real training.
struct Device {
  explicit Device(const Case& c)
      : slots(static_cast<std::size_t>(c.slots) * kSlotBytes),
        ring(static_cast<std::size_t>(c.rows) * 2),
        counter(c.first) {}

  void look(const Case& c, std::size_t from, std::size_t to) {
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

struct Failure : std::runtime_error {
  Failure() : std::runtime_error("the callback fails") {}
};

// Runs the case; says what went wrong, "" where nothing did.
template <class Queue>
std::string run(const Case& c, Queue& queue) {
  Device device(c);
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
            throw Failure();
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
    } catch (const Failure&) {
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

std::string run_fake(std::uint64_t seed, FakeQueue::Ignored ignored = FakeQueue::Ignored::none) {
  FakeQueue queue(seed, ignored);
  Case c = draw_case(seed);
  if (ignored != FakeQueue::Ignored::none) {
    c.threads = 0;  // the wrong bytes must come from the device's disorder, not from a race on the host
  }
  try {
    const std::string problem = run(c, queue);
    return problem.empty() ? "" : fmt::format("seed {}: {}", seed, problem);
  } catch (const Error& error) {
    return fmt::format("seed {}: {}", seed, error.what());
  }
}

TEST(StepScheduler, EveryInterleavingGivesEveryStepItsBatchAndEveryRowOnce) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    ASSERT_EQ(run_fake(seed), "");
  }
}

// That the cases can tell: without any one sort of wait some of them go wrong.
TEST(StepScheduler, NoSortOfWaitCanBeLeftOut) {
  using Ignored = FakeQueue::Ignored;
  for (const Ignored ignored :
       {Ignored::compute_waits, Ignored::upload_waits, Ignored::download_waits, Ignored::host_waits}) {
    int noticed = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      noticed += run_fake(seed, ignored).empty() ? 0 : 1;
    }
    EXPECT_GT(noticed, 20) << "sort " << static_cast<int>(ignored);
  }
}

TEST(StepScheduler, StreamsThatAreThreads) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    ThreadQueue queue;
    ASSERT_EQ(run(draw_case(seed), queue), "") << "seed " << seed;
  }
}

TEST(StepScheduler, AFillThatFailsEndsTheRun) {
  for (const int threads : {0, 2}) {
    FakeQueue queue(7);
    std::vector<std::byte> device(4 * kSlotBytes);
    std::vector<float> ring(8);
    const auto work = queue.add_work([] {});
    UploadRing uploads(queue, {device.data(), kSlotBytes, 4, threads, 0}, [](std::int64_t step, std::byte* pinned) {
      std::fill_n(pinned, kSlotBytes, std::byte{});
      if (step == 9) {
        throw Failure();
      }
    });
    StepScheduler scheduler(
        queue, work, {ring.data(), 8, 1, 2, 0}, [](std::int64_t, std::span<const float>) {}, &uploads);
    EXPECT_THROW(scheduler.run_to(30), Failure);
    EXPECT_LE(scheduler.steps_launched(), 9);
  }
}

TEST(StepScheduler, WithoutUploadsToo) {
  FakeQueue queue(3);
  std::vector<float> ring(6);
  std::int64_t counter = 0;
  const auto work = queue.add_work([&] {
    queue.on_compute([&] {
      ring[static_cast<std::size_t>(counter % 6)] = loss_of(counter);
      ++counter;
    });
  });
  std::vector<float> rows;
  StepScheduler scheduler(queue, work, {ring.data(), 6, 1, 4, 0},
                          [&](std::int64_t, std::span<const float> row) { rows.push_back(row[0]); });
  scheduler.run_to(21);
  scheduler.drain();
  ASSERT_EQ(rows.size(), 21U);
  for (std::int64_t step = 0; step < 21; ++step) {
    EXPECT_EQ(rows[static_cast<std::size_t>(step)], loss_of(step));
  }
}

TEST(StepScheduler, SizesThatCannotWorkAreRefused) {
  FakeQueue queue(1);
  const auto work = queue.add_work([] {});
  std::vector<float> ring(4);
  const StepScheduler::OnRow ignore = [](std::int64_t, std::span<const float>) {};
  EXPECT_THROW(StepScheduler(queue, work, {ring.data(), 4, 1, 5, 0}, ignore), Error);
  EXPECT_THROW(StepScheduler(queue, work, {ring.data(), 4, 1, 0, 0}, ignore), Error);
  std::vector<std::byte> device(2 * kSlotBytes);
  UploadRing uploads(queue, {device.data(), kSlotBytes, 2, 0, 0}, [](std::int64_t, std::byte*) {});
  StepScheduler scheduler(queue, work, {ring.data(), 4, 1, 3, 0}, ignore, &uploads);
  EXPECT_THROW(scheduler.run_to(3), Error);
}

}  // namespace

}  // namespace duel::test
