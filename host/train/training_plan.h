// A training as it will be, before anything is allocated: its recipe, networks, batches and recorded step, and what
// they will take of a device's memory. Recorded once: training takes the programs from here.
#pragma once

#include "engine/program/lanes.h"
#include "host/config/options.h"
#include "host/data/batch_plan.h"
#include "host/recipes/networks.h"
#include "host/recipes/recipe.h"
#include "host/recipes/recorded_step.h"

#include <cstddef>
#include <memory>

namespace duel {

struct MemoryUse {  // bytes on the device
  std::size_t parameters = 0, pictures = 0, arena = 0, arena_unshared = 0, workspace = 0;
  std::size_t snapshot = 0;  // a copy of the state for checkpoints; training goes without one where it does not fit
  std::size_t required() const { return parameters + pictures + arena + workspace; }
  std::size_t total() const { return required() + snapshot; }
};

// How a step is recorded, where it is not trained as usual (recorded_step.h).
struct Recording {
  bool is_fused = true;
  bool are_draws_given = false;
};

struct TrainingPlan {
  std::unique_ptr<Recipe> recipe;
  Networks networks;  // declared, not allocated
  BatchPlan batches;
  RecordedStep step;
  MemoryUse memory;  // but for the workspace, which only the device knows
};

// The fields of all sources.
Fields fields_of(const Data& data);
// The source whose rows are counted as epochs: that of the recipe's first batch.
const Source& counted_source(const Recipe& recipe, const Data& data);

// Plans for these lanes, for a device that need not be there. The data outlive the plan. Throws where the configuration
// and the data do not go together.
TrainingPlan plan_training(std::unique_ptr<Recipe> recipe, const Options& options, const Data& data, bool is_streamed,
                           const LaneRequest& lanes, const Recording& how = {});
// The same for the recipe that the options ask for.
TrainingPlan plan_training(const Options& options, const Data& data, bool is_streamed, const LaneRequest& lanes,
                           const Recording& how = {});

}  // namespace duel
