// Where the pictures of a training lie: whole on its device, or in a ring of slots that the host keeps filled.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "kernels/tensor.h"

#include <cstddef>

namespace duel {

struct PicturePlan {
  Shape shape;                   // u8, on the device
  int slots = 0, slot_rows = 0;  // of the ring; 0: the pictures lie there whole
  int most_steps_per_launch = 1;

  bool is_streamed() const { return slots > 0; }
  std::size_t bytes() const { return static_cast<std::size_t>(shape.count()); }
  std::size_t slot_bytes() const { return static_cast<std::size_t>(shape.with_rows(slot_rows).count()); }
};

inline constexpr int kMostStepsPerLaunch = 16;

// Slots for twice the steps of a launch, so that the next batches arrive while the present ones are read; pictures so
// large that this would take more than 64 MiB allow fewer steps, unless options.schedule.steps_per_launch says how
// many.
PicturePlan plan_pictures(const Options& options, const Data& dataset, bool is_streamed);

// The batches of `step`, shuffled, one behind the other as gan_batches() lists them: what a slot holds.
void fill_slot(const Options& options, const Data& dataset, std::int64_t step, std::byte* slot);

}  // namespace duel
