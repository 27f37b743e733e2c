#include "host/latents/latent_run.h"

#include "host/config/configuration.h"
#include "host/device/default_threads.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/pictures/sample_grid.h"
#include "host/run/weights_hash.h"
#include "host/sample/generate.h"
#include "host/sample/latents.h"
#include "kernels/check.h"

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

constexpr const char* kMean = "mean";  // an encoder's first output

// The network that tells from a picture which latent it may come from; none in most recipes.
std::optional<Sampling> encoder_of(const Recipe& recipe, const Field& latent) {
  for (const auto& [name, network] : recipe.single_networks()) {
    const bool takes_picture = network.inputs.size() == 1 && network.inputs[0].kind == FieldKind::picture;
    if (takes_picture && network.outputs[0].name == kMean && network.outputs[0].shape == latent.shape) {
      return network;
    }
  }
  return std::nullopt;
}

}  // namespace

LatentRun::LatentRun(const LatentRunRequest& request)
    : request_(request),
      context_(make_context(request.where)),
      block_(request.raw ? Parameters::Block::master : Parameters::Block::average) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  step_ = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    const std::filesystem::path config = run.config_path(checkpoint);
    options_ = options_from_toml(read_text_file(config), config.string());
    loaded_.emplace(context_, run, checkpoint, 0);
    weights_ = weights_hash(checkpoint, loaded_->sampling.networks[0]);
  });
  if (!draws_pictures(loaded_->sampling)) {
    throw_error(Error::Kind::usage, "{}: is a run of the recipe {}, which draws no pictures from latents", request.run,
                loaded_->recipe->name());
  }
  const DrawnInputs inputs = drawn_inputs(loaded_->sampling);
  latent_ = static_cast<int>(inputs.latent.shape.row_count());
  if (inputs.classes) {
    class_names_ = inputs.classes->names;
  }
}

int LatentRun::threads() const {
  return request_.where.threads > 0 ? request_.where.threads : default_threads().threads;
}

std::vector<Picture> LatentRun::draw(std::span<const float> latents, std::span<const float> classes) {
  if (!sampler_) {
    sampler_.emplace(context_, loaded_->model(), block_);
  }
  const auto width = static_cast<std::size_t>(latent_);
  const std::size_t kinds = class_names_.size(), count = latents.size() / width;
  check(classes.size() == count * kinds, "latent run: {} shares of {} classes for {} latents", classes.size(), kinds,
        count);
  std::vector<Picture> pictures;
  for (std::size_t first = 0; first < count; first += Sampler::kBatch) {
    const std::size_t rows = std::min<std::size_t>(count - first, Sampler::kBatch);
    std::vector<std::span<const std::byte>> inputs = {std::as_bytes(latents.subspan(first * width, rows * width))};
    if (kinds > 0) {
      inputs.push_back(std::as_bytes(classes.subspan(first * kinds, rows * kinds)));
    }
    const std::vector<Picture> batch = to_pictures(sampler_->run(context_, inputs)[0], picture());
    pictures.insert(pictures.end(), batch.begin(), batch.end());
  }
  return pictures;
}

std::vector<float> LatentRun::sampled(std::uint64_t seed, int count) {
  return sampled_latents(context_, seed, count, latent_);
}

bool LatentRun::has_encoder() const {
  return encoder_of(*loaded_->recipe, drawn_inputs(loaded_->sampling).latent).has_value();
}

std::vector<float> LatentRun::encoded(std::span<const Picture> pictures) {
  const RunDirectory run = RunDirectory::open_for_reading(request_.run);
  const Field latent = drawn_inputs(loaded_->sampling).latent;
  const LoadedSampling encoder(context_, run, run.checkpoint_path(step_), 0,
                               [&](const Recipe& recipe) { return *encoder_of(recipe, latent); });
  RowSampler sampler(context_, encoder.model(), block_);
  std::vector<float> latents;
  for (std::size_t first = 0; first < pictures.size(); first += Sampler::kBatch) {
    std::vector<std::uint8_t> pixels;
    for (const Picture& each : pictures.subspan(first, std::min<std::size_t>(pictures.size() - first, 64))) {
      pixels.insert(pixels.end(), each.pixels.begin(), each.pixels.end());
    }
    const std::vector<std::span<const std::byte>> inputs = {std::as_bytes(std::span(pixels))};
    const std::vector<float> means = sampler.run(context_, inputs)[0];
    latents.insert(latents.end(), means.begin(), means.end());
  }
  return latents;
}

std::vector<Picture> to_pictures(std::span<const float> values, const Shape& picture) {
  const auto size = static_cast<std::size_t>(picture.count());
  std::vector<Picture> pictures;
  for (std::size_t first = 0; first < values.size(); first += size) {
    pictures.push_back(to_picture(values.subspan(first, size), picture[1], picture[2], picture[3]));
  }
  return pictures;
}

}  // namespace duel
