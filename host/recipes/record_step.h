// From a recipe to the programs of its step.
#pragma once

#include "host/recipes/networks.h"
#include "host/recipes/recipe.h"
#include "host/recipes/recorded_step.h"

namespace duel {

// Throws kind `internal` where the recipe records something else than it says.
RecordedStep record_step(const Recipe& recipe, const Networks& networks, const StepSettings& settings);

}  // namespace duel
