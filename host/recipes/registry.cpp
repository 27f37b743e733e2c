#include "host/recipes/registry.h"

#include "host/recipes/gan.h"

namespace duel {

std::unique_ptr<Recipe> make_recipe(const Options& options, const Fields& fields, std::int64_t steps) {
  return make_gan(options, fields, steps);
}

std::int64_t total_steps(const Options& options, std::int64_t steps_per_epoch) {
  return options.train.steps > 0 ? options.train.steps : options.train.epochs * steps_per_epoch;
}

}  // namespace duel
