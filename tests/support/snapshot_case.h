// Cases for snapshots beside steps, drawn from seeds, and what must hold of them on any queue: what is written is the
// state after its step, whole, and of every step that was due; nothing of a step at or behind one that is not finite.
#pragma once

#include "host/device/snapshot.h"
#include "host/device/step_scheduler.h"
#include "host/run/background.h"
#include "host/run/late_writes.h"
#include "tests/support/fake_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace duel::test {

struct SnapshotCase {
  int rows, steps_per_launch, every;
  std::size_t numbers[2];  // of the state's two arrays
  std::size_t piece_bytes;
  bool has_stage;
  std::int64_t last;
  std::int64_t spoilt = -1;  // this step's loss is not finite; -1: all are
  // The device ignores waits: wrong bytes must come from its disorder, not from a race with the background.
  bool is_faulty = false;
};

inline SnapshotCase draw_snapshot_case(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](int low, int high) { return low + static_cast<int>(random() % (high - low + 1)); };
  SnapshotCase c;
  c.steps_per_launch = draw(1, 4);
  c.rows = c.steps_per_launch + draw(0, 12);
  c.every = draw(1, 9);
  c.numbers[0] = static_cast<std::size_t>(draw(1, 9));
  c.numbers[1] = static_cast<std::size_t>(draw(1, 9));
  c.piece_bytes = sizeof(std::int64_t) * static_cast<std::size_t>(draw(1, 12));
  c.has_stage = draw(0, 3) > 0;
  c.last = draw(1, 40);
  c.spoilt = draw(0, 2) == 0 ? draw(1, 40) : -1;
  return c;
}

// Steps change every number of the state, one array after the other.
struct SnapshotDevice {
  explicit SnapshotDevice(const SnapshotCase& c)
      : arrays{std::vector<std::int64_t>(c.numbers[0]), std::vector<std::int64_t>(c.numbers[1])},
        stage(c.numbers[0] + c.numbers[1], -1),
        ring(static_cast<std::size_t>(c.rows)) {}

  static std::int64_t number(std::int64_t step, std::size_t at) { return step * 1000 + static_cast<std::int64_t>(at); }
  void step_array(std::size_t which) {
    for (std::size_t i = 0; i < arrays[which].size(); ++i) {
      arrays[which][i] = number(steps + 1, which * arrays[0].size() + i);
    }
  }

  std::vector<std::int64_t> arrays[2], stage;
  std::vector<float> ring;  // [rows]
  std::int64_t steps = 0;
};

struct SnapshotOutcome {
  std::string problem;  // "" where nothing went wrong
  int overlaps = 0;     // snapshots that were still on their way when a later step had run
};

struct SpoiltStep {};

template <class Queue>
SnapshotOutcome run_snapshot_case(const SnapshotCase& c, SnapshotDevice& device, Queue& queue) {
  SnapshotOutcome outcome;
  std::mutex mutex;  // of the two below, which the background writes
  std::vector<std::int64_t> written;
  std::string problem;
  const auto work = queue.add_work([&] {
    queue.on_compute([&] { device.step_array(0); });
    queue.on_compute([&] {
      device.step_array(1);
      device.ring[static_cast<std::size_t>(device.steps % c.rows)] =
          device.steps + 1 == c.spoilt ? std::numeric_limits<float>::quiet_NaN() : 1.0F;
      ++device.steps;
    });
  });
  std::vector<Snapshot::Array> arrays;
  for (const std::vector<std::int64_t>& array : device.arrays) {
    arrays.push_back({reinterpret_cast<const std::byte*>(array.data()), array.size() * sizeof(array[0])});
  }
  Snapshot::Layout layout = c.has_stage
                                ? Snapshot::staged(queue, arrays, reinterpret_cast<std::byte*>(device.stage.data()))
                                : Snapshot::Layout{arrays};
  layout.piece_bytes = c.piece_bytes;
  std::vector<std::int64_t> taken;
  std::int64_t good = 0;
  {
    Snapshot snapshot(queue, layout);
    Background background;
    LateWrites writes(background, 0);
    const auto settle = [&] {
      if (c.is_faulty) {
        background.finish();
      }
    };
    StepScheduler scheduler(queue, work, {device.ring.data(), c.rows, 1, c.steps_per_launch, 0},
                            [&](std::int64_t step, std::span<const float> row) {
                              if (!std::isfinite(row[0])) {
                                writes.finish();
                                throw SpoiltStep();
                              }
                              good = step;
                              writes.note_good(step);
                              settle();
                            });
    const auto write = [&](std::int64_t step) {
      const std::span<const std::byte> bytes = snapshot.bytes();
      for (std::size_t i = 0; i < device.stage.size(); ++i) {
        std::int64_t number = 0;
        std::memcpy(&number, bytes.data() + i * sizeof number, sizeof number);
        if (number != SnapshotDevice::number(step, i) && step > 0) {
          const std::lock_guard lock(mutex);
          problem += fmt::format("number {} of step {} is {}; ", i, step, number);
        }
      }
      const std::lock_guard lock(mutex);
      written.push_back(step);
    };
    try {
      while (scheduler.steps_launched() < c.last) {
        scheduler.run_to(std::min(c.last, (scheduler.steps_launched() / c.every + 1) * c.every));
        if constexpr (std::is_same_v<Queue, FakeQueue>) {  // on whose device nobody works while we look
          const bool has_gone_on = !taken.empty() && device.steps > taken.back();
          outcome.overlaps += has_gone_on && snapshot.is_taken() && !snapshot.is_here() ? 1 : 0;
        }
        if (snapshot.is_taken()) {
          scheduler.drain();
          writes.finish();
        }
        const std::int64_t step = scheduler.steps_launched();
        taken.push_back(step);
        writes.add(step, snapshot, [&write, step] { write(step); });
        settle();
      }
      scheduler.drain();
      writes.finish();
    } catch (const SpoiltStep&) {
    }
  }
  if (c.spoilt > 0 && c.spoilt <= c.last ? good != c.spoilt - 1 : good != c.last) {
    problem += fmt::format("the last good step was {}; ", good);
  }
  std::erase_if(taken, [&](std::int64_t step) { return step > good; });
  if (written != taken) {
    problem += fmt::format("written {}, but good and due were {}; ", fmt::join(written, " "), fmt::join(taken, " "));
  }
  outcome.problem = problem;
  return outcome;
}

}  // namespace duel::test
