#include "host/recipes/registry.h"

#include "host/recipes/classify.h"
#include "host/recipes/cut.h"
#include "host/recipes/cyclegan.h"
#include "host/recipes/gan.h"
#include "host/recipes/restore.h"
#include "host/recipes/tryon.h"
#include "host/recipes/vae.h"
#include "kernels/check.h"

#include <map>
#include <string_view>

namespace duel {

std::unique_ptr<Recipe> make_recipe(const Options& options, const Fields& fields, std::int64_t steps) {
  using Make = std::unique_ptr<Recipe> (*)(const Options&, const Fields&, std::int64_t);
  static const std::map<std::string_view, Make> recipes = {{"classify", make_classify},
                                                           {"cut", make_cut},
                                                           {"cyclegan", make_cyclegan},
                                                           {"gan", make_gan},
                                                           {"restore", make_restore},
                                                           {"tryon", make_tryon},
                                                           {"vae", make_vae}};
  const auto found = recipes.find(options.recipe);
  check(found != recipes.end(), "recipes: there is none called {}", options.recipe);
  return found->second(options, fields, steps);
}

std::int64_t total_steps(const Options& options, std::int64_t steps_per_epoch) {
  return options.train.steps > 0 ? options.train.steps : options.train.epochs * steps_per_epoch;
}

}  // namespace duel
