#include "host/sample/loaded_sampling.h"

#include "host/config/configuration.h"
#include "host/files/atomic_file.h"
#include "host/recipes/registry.h"
#include "host/run/checkpoint.h"
#include "host/sample/drawing_memory.h"

#include <string>

namespace duel {

namespace {

std::unique_ptr<Recipe> recipe_of(const RunDirectory& run, const std::filesystem::path& checkpoint) {
  const std::filesystem::path config = run.config_path(checkpoint);
  const Options options = options_from_toml(read_text_file(config), config.string());
  const CheckpointState manifest = read_manifest(checkpoint);
  picture_shape(manifest, checkpoint);  // or it says what is missing
  return make_recipe(options, manifest.fields, total_steps(options, 1));
}

// What the sampling keeps beside weights, whatever is drawn.
std::vector<RecordedState> state_of(const Sampling& sampling, const Networks& networks) {
  return record_sampling(sampling, networks, {1, Parameters::Block::master, std::nullopt}).state;
}

}  // namespace

LoadedSampling::LoadedSampling(Context& context, const RunDirectory& run, const std::filesystem::path& checkpoint,
                               std::int64_t sheet_pictures, const Choice& choose)
    : recipe(recipe_of(run, checkpoint)),
      networks(recipe->make_networks()),
      sampling(choose ? choose(*recipe) : recipe->sampling()),
      picture(sampling.outputs[0].shape),
      state(context, state_of(sampling, networks)) {
  check_drawing_memory(context, plan_drawing(sampling, networks, sheet_pictures));
  for (const std::string& name : sampling.networks) {
    const NamedNetwork& each = networks.at(name);
    each.network->parameters().allocate(context, sampling_blocks(each));
  }
  read_for_sampling(context, networks, state, checkpoint);
  networks.add_to(storage);
  state.add_to(storage);
}

}  // namespace duel
