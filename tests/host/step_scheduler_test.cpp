// The scheduler and the upload ring on devices that run work late and in any order that the events allow: every step
// must see its own batch and nobody else's, and every row of scalars must come back right, in order and once. Each case
// is drawn from a seed: ring sizes, steps in a launch, threads that fill, where a run is cut into pieces, and how it
// ends.
#include "host/device/step_scheduler.h"

#include "host/device/upload_ring.h"
#include "kernels/check.h"
#include "tests/support/fake_queue.h"
#include "tests/support/scheduler_case.h"
#include "tests/support/thread_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace duel::test {

namespace {

std::string run_fake(std::uint64_t seed, FakeQueue::Ignored ignored = FakeQueue::Ignored::none) {
  SchedulerCase c = draw_case(seed);
  if (ignored != FakeQueue::Ignored::none) {
    c.threads = 0;  // the wrong bytes must come from the device's disorder, not from a race on the host
  }
  FakeDevice device(c);
  FakeQueue queue(seed, ignored);
  try {
    const std::string problem = run_case(c, device, queue);
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
  using enum FakeQueue::Ignored;
  for (const FakeQueue::Ignored ignored : {compute_waits, upload_waits, download_waits, host_waits}) {
    int noticed = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      noticed += run_fake(seed, ignored).empty() ? 0 : 1;
    }
    EXPECT_GT(noticed, 20) << "sort " << static_cast<int>(ignored);
  }
}

TEST(StepScheduler, StreamsThatAreThreads) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const SchedulerCase c = draw_case(seed);
    FakeDevice device(c);
    ThreadQueue queue;
    ASSERT_EQ(run_case(c, device, queue), "") << "seed " << seed;
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
        throw PlannedFailure();
      }
    });
    StepScheduler scheduler(
        queue, work, {ring.data(), 8, 1, 2, 0}, [](std::int64_t, std::span<const float>) {}, &uploads);
    EXPECT_THROW(scheduler.run_to(30), PlannedFailure);
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
