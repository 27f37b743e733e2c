#include "host/augment/class_generator.h"

#include "host/pictures/sample_grid.h"
#include "host/run/checkpoint_manifest.h"
#include "host/run/run_directory.h"
#include "host/run/weights_hash.h"
#include "host/sample/class_choice.h"
#include "host/sample/generate.h"
#include "host/sample/latents.h"
#include "kernels/check.h"

#include <array>
#include <filesystem>

namespace duel {

ClassGenerator::ClassGenerator(Context& context, const std::string& name, std::optional<std::int64_t> step)
    : context_(context) {
  const RunDirectory run = RunDirectory::open_for_reading(name);
  step_ = read_checkpoint_of(run, step, [&](const std::filesystem::path& checkpoint) {
    config_file_ = run.config_path(checkpoint).string();
    options_ = resolve_options("", config_file_, {});
    loaded_.emplace(context, run, checkpoint, 0);
    trained_on_ = read_manifest(checkpoint).data;
    weights_ = weights_hash(checkpoint, loaded_->sampling.networks[0]);
  });
  if (!draws_pictures(loaded_->sampling)) {
    throw_error(Error::Kind::usage, "{}: is a run of the recipe {}, which draws no pictures", name,
                loaded_->recipe->name());
  }
  const DrawnInputs inputs = drawn_inputs(loaded_->sampling);
  if (!inputs.classes) {
    throw_error(
        Error::Kind::usage,
        "{}: was trained without classes, so nothing could be learnt from the labels of its pictures; train one "
        "with --set data.labels=true",
        name);
  }
  classes_ = inputs.classes->names;
  latent_ = static_cast<int>(inputs.latent.shape.row_count());
  sampler_.emplace(context, loaded_->model(), Parameters::Block::average);
}

std::vector<Picture> ClassGenerator::draw(std::size_t label, std::span<const std::uint64_t> seeds) {
  std::vector<float> latents;
  for (const std::uint64_t seed : seeds) {
    const std::vector<float> its = first_latent(context_, seed, latent_);
    latents.insert(latents.end(), its.begin(), its.end());
  }
  const std::vector<int> labels(seeds.size(), static_cast<int>(label));
  const std::vector<float> shares = one_hot(labels, static_cast<int>(classes_.size()));
  const std::array rows = {std::as_bytes(std::span(latents)), std::as_bytes(std::span(shares))};
  const std::vector<float> values = sampler_->run(context_, rows)[0];
  const Shape& shape = loaded_->picture;
  const auto size = static_cast<std::size_t>(shape.count());
  std::vector<Picture> pictures;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    pictures.push_back(to_picture(std::span(values).subspan(i * size, size), shape[1], shape[2], shape[3]));
  }
  return pictures;
}

}  // namespace duel
