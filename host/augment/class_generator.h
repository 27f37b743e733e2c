// The generator of a run by class: which classes it draws, and pictures of them by seed.
#pragma once

#include "host/config/configuration.h"
#include "host/config/options.h"
#include "host/pictures/png.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"
#include "kernels/context.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

class ClassGenerator {
public:
  // Of the step's checkpoint, or the latest one; the moving average of its weights. The context outlives it. Throws
  // kind `usage` for a run that draws no pictures, or knows no classes, and kind `data` for one that cannot be read.
  ClassGenerator(Context& context, const std::string& run, std::optional<std::int64_t> step);

  const std::vector<std::string>& classes() const { return classes_; }
  const Shape& picture() const { return loaded_->picture; }  // [1,H,W,C]
  std::int64_t step() const { return step_; }
  const Options& options() const { return options_; }            // of the checkpoint
  const std::string& trained_on() const { return trained_on_; }  // the fingerprint of its data
  const std::string& weights() const { return weights_; }        // weights_hash.h
  std::string config_file() const { return config_file_; }

  // The seed of picture i of a class. Every picture of a set has one of its own, however many there are of each class.
  std::uint64_t seed_of(std::uint64_t first, std::int64_t i, std::size_t label) const {
    return first + static_cast<std::uint64_t>(i) * classes_.size() + label;
  }
  // At most Sampler::kBatch pictures of a class, each what `duel generate --class NAME --seeds SEED` draws.
  std::vector<Picture> draw(std::size_t label, std::span<const std::uint64_t> seeds);

private:
  Context& context_;
  std::optional<LoadedSampling> loaded_;
  std::optional<RowSampler> sampler_;
  std::vector<std::string> classes_;
  Options options_;
  std::int64_t step_ = 0;
  int latent_ = 0;
  std::string trained_on_, weights_, config_file_;
};

}  // namespace duel
