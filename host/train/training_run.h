// A training run from the command to the last checkpoint: the loop around Trainer that fills a run directory.
#pragma once

#include "host/config/options.h"
#include "host/data/decode_photographs.h"
#include "host/recipes/networks.h"
#include "host/train/disk_use.h"
#include "host/train/picture_judge.h"
#include "host/train/training_plan.h"
#include "kernels/tensor.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct TrainingRequest {
  Options options;
  std::string folder;      // of the run
  bool resume = false;     // continue the run in `folder` at its latest checkpoint, or at step 0 where it has none yet
  std::int64_t step = -1;  // of the checkpoint to take, of this run or of the one in `from`; -1: the latest
  std::string from = {};   // another run, whose weights a new one begins with
  std::function<void(const DecodeProgress&)> progress = {};  // while photographs are decoded, before all else
  MakeJudge judge = {};                                      // of runs that evaluate their pictures (evaluate.every)
};

struct TrainingResult {
  int exit_code = 0;      // 0, or 130 where a signal ended it after a checkpoint was written
  std::int64_t step = 0;  // of its last checkpoint
  std::int64_t last_step = 0;
  bool was_done = false;  // it had all its steps, and was left as it is
  bool has_begun = true;  // false: a signal came before, as while photographs were decoded
};

// Trains. A loss or gradient that is not finite throws kind `non_finite`; the last checkpoint is then untouched. With
// train.on_nonfinite = "rollback" the run goes on there instead, with the same draws and half of every learning rate,
// at most kMostRollbacks times; config.toml and the checkpoints behind it say the new rates, so that it comes to the
// same bytes as a run that a person resumes there with them. What ends a run is in its log.txt.
//
// Options that differ from those of the run that is resumed are said, with both values; those that would make other
// networks of its weights throw kind `usage`. A run that has all its steps is left as it is. A new one for whose first
// checkpoint the disk has no room throws kind `data`.
inline constexpr int kMostRollbacks = 3;
TrainingResult run_training(const TrainingRequest& request);

// What a run would be.
struct RunPlan {
  std::vector<std::string> notes;  // what a run that goes on would say first
  std::string data;                // the data set's name
  std::int64_t pictures = 0;
  Shape picture;  // [1,H,W,C]
  std::int64_t steps = 0, steps_per_epoch = 0;
  int batch = 0;
  std::vector<NetworkTable> networks;
  std::string device;
  MemoryUse memory;
  bool lacks_snapshot_room = false;  // see kNoSnapshotRoom
  std::optional<DiskUse> disk;       // none where the request names no folder
  // Mean of measured_steps; none of a run that would take more memory than is worth a look at its time.
  std::optional<double> seconds_a_step;
  int measured_steps = 0;
  std::int64_t evaluations = 0;  // of generated pictures, in all
  // Of one; none where the steps were not measured, or an extractor has to be trained first.
  std::optional<double> seconds_an_evaluation;
  std::string evaluation;  // what is compared with what, where it is known
};

// Throws what the run would throw, and where its folder cannot be written. Takes a few steps where training takes no
// more than so much of the device's memory; beyond that it plans, and allocates nothing. Changes nothing but the cache
// of decoded photographs.
inline constexpr std::size_t kMostMeasuredBytes = std::size_t{1} << 30;
RunPlan plan_run(const TrainingRequest& request);

}  // namespace duel
