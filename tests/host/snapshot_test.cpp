// Snapshots beside the steps on devices that run work late and in any order that the events allow: what is written is
// the state exactly as its step left it, while later steps change it, and nothing that turns out not to be finite.
#include "host/device/snapshot.h"

#include "kernels/check.h"
#include "tests/support/fake_queue.h"
#include "tests/support/snapshot_case.h"
#include "tests/support/thread_queue.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace duel::test {

namespace {

using Ignored = FakeQueue::Ignored;

SnapshotOutcome run_fake(std::uint64_t seed, const SnapshotCase& c, Ignored ignored = Ignored::none) {
  SnapshotDevice device(c);
  FakeQueue queue(seed, ignored);
  SnapshotOutcome outcome;
  try {
    outcome = run_snapshot_case(c, device, queue);
  } catch (const Error& error) {
    outcome.problem = error.what();
  }
  if (!outcome.problem.empty()) {
    outcome.problem = fmt::format("seed {}: {}", seed, outcome.problem);
  }
  return outcome;
}

TEST(Snapshot, EveryInterleavingWritesTheStateOfItsStepAndNothingSpoilt) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    ASSERT_EQ(run_fake(seed, draw_snapshot_case(seed)).problem, "");
  }
}

TEST(Snapshot, StepsRunOnWhileAStagedOneIsDownloadedAndWaitWithoutAStage) {
  int staged = 0, direct = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SnapshotCase c = draw_snapshot_case(seed);
    c.has_stage = true;
    staged += run_fake(seed, c).overlaps;
    c.has_stage = false;
    direct += run_fake(seed, c).overlaps;
  }
  EXPECT_GT(staged, 500);
  EXPECT_EQ(direct, 0);
}

// That the cases can tell: a download that does not wait for the copy; a host that takes a download for done, reads it
// too early and lets the stage be written again; steps that do not wait where there is no stage.
TEST(Snapshot, NoSortOfWaitCanBeLeftOut) {
  const auto noticed = [](Ignored ignored, bool has_stage) {
    int count = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      SnapshotCase c = draw_snapshot_case(seed);
      c.has_stage = has_stage;
      c.is_faulty = true;
      count += run_fake(seed, c, ignored).problem.empty() ? 0 : 1;
    }
    return count;
  };
  EXPECT_GT(noticed(Ignored::download_waits, true), 100);
  EXPECT_GT(noticed(Ignored::download_waits, false), 100);
  EXPECT_GT(noticed(Ignored::host_waits, true), 100);
  EXPECT_GT(noticed(Ignored::host_waits, false), 100);
  EXPECT_GT(noticed(Ignored::compute_waits, false), 100);
  EXPECT_EQ(noticed(Ignored::compute_waits, true), 0);  // with a stage the steps wait for nothing
}

TEST(Snapshot, StreamsThatAreThreads) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const SnapshotCase c = draw_snapshot_case(seed);
    SnapshotDevice device(c);
    ThreadQueue queue;
    ASSERT_EQ(run_snapshot_case(c, device, queue).problem, "") << "seed " << seed;
  }
}

TEST(Snapshot, IsNotBegunAgainBeforeItWasReleased) {
  FakeQueue queue(1);
  const std::vector<std::byte> state(64);
  Snapshot snapshot(queue, {{{state.data(), state.size()}}});
  snapshot.begin();
  EXPECT_THROW(snapshot.begin(), Error);
  snapshot.wait();
  EXPECT_THROW(snapshot.begin(), Error);
  snapshot.release();
  snapshot.begin();
  EXPECT_TRUE(snapshot.is_taken());
}

TEST(LateWrites, AFailureOfTheWriterEndsTheRun) {
  FakeQueue queue(2);
  const std::vector<std::byte> state(64);
  Snapshot snapshot(queue, {{{state.data(), state.size()}}});
  Background background;
  LateWrites writes(background, 0);
  writes.add(3, snapshot, [] { throw std::runtime_error("disk full"); });
  writes.finish();  // nobody has called step 3 good
  writes.note_good(3);
  EXPECT_THROW(writes.finish(), std::runtime_error);
}

TEST(LateWrites, NothingIsWrittenThatNobodyCallsGood) {
  bool is_written = false;
  {
    FakeQueue queue(2);
    const std::vector<std::byte> state(64);
    Snapshot snapshot(queue, {{{state.data(), state.size()}}});
    Background background;
    LateWrites writes(background, 4);
    writes.add(5, snapshot, [&] { is_written = true; });
    writes.note_good(4);
    snapshot.wait();
    writes.poll();
    writes.finish();
    EXPECT_TRUE(snapshot.is_taken());
  }
  EXPECT_FALSE(is_written);
}

}  // namespace

}  // namespace duel::test
