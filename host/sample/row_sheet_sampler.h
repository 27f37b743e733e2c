// What a sampling makes of rows that are given once, always the same, run by the device between two steps and brought
// to the host while the following ones run.
#pragma once

#include "host/device/device_queue.h"
#include "host/device/snapshot.h"
#include "host/sample/sampler.h"

#include <cstddef>
#include <span>
#include <vector>

namespace duel {

class RowSheetSampler {
public:
  // `rows`: of each input of the sampling, as its field is stored, equally many. The queue's compute stream is the
  // context's. block: as Sampler's.
  RowSheetSampler(Context& context, DeviceQueue& queue, const SamplingModel& model, Parameters::Block block,
                  std::vector<std::vector<std::byte>> rows);
  RowSheetSampler(const RowSheetSampler&) = delete;
  RowSheetSampler& operator=(const RowSheetSampler&) = delete;

  std::span<const std::byte> rows(std::size_t input) const { return rows_[input]; }
  // Of the first output's rows, as the networks make them behind the steps launched before begin(): f32.
  Snapshot& snapshot() { return snapshot_; }

private:
  void queue_rows();

  Context& context_;
  DeviceQueue& queue_;
  std::vector<std::vector<std::byte>> rows_;
  std::vector<std::size_t> row_bytes_;  // of each input
  std::size_t count_;
  RowSampler sampler_;
  std::size_t output_bytes_;   // of a row
  std::vector<Buffer> given_;  // all rows of each input on the device
  Buffer made_;
  DeviceQueue::Work work_;
  Snapshot snapshot_;
};

}  // namespace duel
