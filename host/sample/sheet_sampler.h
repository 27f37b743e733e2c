// The pictures of a sample sheet, always the same latents, drawn by the device between two steps and brought to the
// host while the following ones run.
#pragma once

#include "host/device/device_queue.h"
#include "host/device/snapshot.h"
#include "host/pictures/sample_grid.h"
#include "host/sample/sampler.h"

namespace duel {

class SheetSampler {
public:
  // As Sampler's; the queue's compute stream is the context's. Where the recipe knows classes, a row is of one, and the
  // rows take them in turn.
  SheetSampler(Context& context, DeviceQueue& queue, const SamplingModel& model, Parameters::Block block,
               std::uint64_t seed, const SheetShape& sheet);
  SheetSampler(const SheetSampler&) = delete;
  SheetSampler& operator=(const SheetSampler&) = delete;

  // Of the pictures that the generator draws behind the steps launched before begin(): f32 [count,H,W,C].
  Snapshot& snapshot() { return snapshot_; }

private:
  void queue_pictures();

  Context& context_;
  DeviceQueue& queue_;
  Sampler sampler_;
  std::size_t picture_bytes_;
  int count_, batches_;
  Buffer numbers_;  // of the batches: the counter is set from here, without the host
  Buffer classes_;  // of all pictures, batch by batch, in the same way; or nothing
  Buffer sheet_;
  DeviceQueue::Work draw_;
  Snapshot snapshot_;
};

}  // namespace duel
