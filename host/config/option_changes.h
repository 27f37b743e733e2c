// What differs between two configurations, and which of it a run that goes on may not change.
#pragma once

#include "host/config/options.h"

#include <string>
#include <vector>

namespace duel {

struct OptionChange {
  std::string key, before, after;  // the values in TOML
};

std::vector<OptionChange> option_changes(const Options& before, const Options& after);

// "train.batch 64 -> 32, loss.r1 0.5 -> 0.0"
std::string shown(const std::vector<OptionChange>& changes);

// Those that would make other networks of the same weights: the tables [model], and for a run that goes on the seed and
// the pictures that are drawn by program. Throws kind `usage`, with both values, where there are any; `who` is whose
// weights they are: "runs/a at step 40". Precision, losses and rates change the training, not what was trained.
enum class Continuation { same_run, new_run };
void check_same_networks(const Options& before, const Options& after, Continuation how, const std::string& who);

}  // namespace duel
