// A training run from the command to the last checkpoint: the loop around Trainer that fills a run directory.
#pragma once

#include "host/device.h"
#include "host/options.h"

#include <string>

namespace duel {

struct TrainingRequest {
  Options options;
  std::string folder;   // of the run
  bool resume = false;  // continue the run in `folder` at its latest checkpoint
};

// Steps that the options ask for, given how many make an epoch.
std::int64_t total_steps(const Options& options, std::int64_t steps_per_epoch);

// Trains. Returns the exit code: 0, or 130 where a signal ended it after a checkpoint was written. A loss or gradient
// that is not finite throws kind `non_finite`; the last checkpoint is then untouched.
int run_training(const TrainingRequest& request);

// Prints what a run would be: networks, memory, time a step measured on a few steps, and when it would end.
void print_dry_run(const Options& options);

}  // namespace duel
