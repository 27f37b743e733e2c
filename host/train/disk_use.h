// What a training run will write, against what its disk has free.
#pragma once

#include "host/config/options.h"
#include "host/train/training_plan.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace duel {

struct DiskUse {                            // sizes in bytes
  std::filesystem::path folder;             // of the run, or the nearest above it that exists
  double checkpoint = 0, sheets = 0;        // of one checkpoint, of the two sheets of a step at the most
  std::int64_t checkpoints = 0, pairs = 0;  // how many are kept: of checkpoints, of pairs of sheets
  std::optional<double> free;               // none where the file system does not say
  double first() const { return checkpoint + sheets; }
  double most() const { return checkpoint * static_cast<double>(checkpoints) + sheets * static_cast<double>(pairs); }
  bool may_fill() const { return free && *free < most(); }
};

DiskUse plan_disk_use(const Options& options, const TrainingPlan& plan, const std::filesystem::path& run,
                      std::int64_t steps);

// Throws kind `data` where not even the first checkpoint and its sheets have room: for a run that is new. One that
// goes on may make room by removing what it keeps.
void check_disk(const DiskUse& use);
std::string fill_warning(const DiskUse& use);  // where it may_fill()

}  // namespace duel
