// The recipe that a configuration asks for.
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Throws kind `usage` where the sources lack a field that it needs.
// `steps`: of the run, for schedules; what is only drawn from has no use for it.
std::unique_ptr<Recipe> make_recipe(const Options& options, const Fields& fields, std::int64_t steps);

// Steps that the options ask for, given how many make an epoch.
std::int64_t total_steps(const Options& options, std::int64_t steps_per_epoch);

}  // namespace duel
