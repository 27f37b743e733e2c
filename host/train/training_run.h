// A training run from the command to the last checkpoint: the loop around Trainer that fills a run directory.
#pragma once

#include "host/config/options.h"
#include "host/device/device.h"

#include <string>

namespace duel {

struct TrainingRequest {
  Options options;
  std::string folder;      // of the run
  bool resume = false;     // continue the run in `folder` at its latest checkpoint, or at step 0 where it has none yet
  std::int64_t step = -1;  // of the checkpoint to take, of this run or of the one in `from`; -1: the latest
  std::string from = {};   // another run, whose weights a new one begins with
};

// Trains. Returns the exit code: 0, or 130 where a signal ended it after a checkpoint was written. A loss or gradient
// that is not finite throws kind `non_finite`; the last checkpoint is then untouched. What ends a run is in its
// log.txt.
//
// Options that differ from those of the run that is resumed are said, with both values; those that would make other
// networks of its weights throw kind `usage`. A run that has all its steps is left as it is.
int run_training(const TrainingRequest& request);

// Prints what a run would be: networks, memory, disk, time a step measured on a few steps, and when it would end.
// Throws what the run would throw, and where its folder (unless that is "") cannot be written or its disk has no room
// for the first checkpoint. Changes nothing.
void print_dry_run(const TrainingRequest& request);
inline void print_dry_run(const Options& options) {
  print_dry_run({options, "", false});
}

}  // namespace duel
