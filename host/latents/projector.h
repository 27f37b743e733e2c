// Latents whose pictures come near to pictures that are given: by the gradient of a loss with respect to the latent,
// with Adam, through the generator as it draws (Abdal, Qin & Wonka, "Image2StyleGAN", 2019; the schedule is that of
// Karras et al., "Analyzing and improving the image quality of StyleGAN", 2020, appendix D: the rate rises over the
// first 5 % of the steps and falls along a cosine over the last 25 %).
//
//   loss = pixels + feature_weight * features + prior_weight * ((|z|^2 - d) / sqrt(2 d))^2
//   pixels    the mean over a pyramid's levels, each halved by means of 2x2 as long as both extents are even and at
//             least 8, of the mean squared difference; pictures in -1..1
//   features  the squared difference of a network's features, over those of the given picture squared
//   prior     of z ~ N(0, 1) with d numbers |z|^2 has the mean d and the deviation sqrt(2 d): what the generator was
//             never trained on costs as many deviations as it is away
//
// Rows do not depend on each other: the same start and picture give the same bytes whatever the others are.
#pragma once

#include "engine/program/execution.h"
#include "host/sample/sampler.h"
#include "kernels/memory.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace duel {

struct ProjectorSettings {
  int steps = 300;
  double learning_rate = 0.1;
  double prior_weight = 1e-3;
  double feature_weight = 0.1;
};

// A network that makes features of pictures, and which of its outputs they are.
struct FeatureNetwork {
  SamplingModel model;
  std::size_t output = 0;
};

struct ProjectionTask {
  std::span<const float> start;           // [latent]
  std::span<const float> classes;         // their shares, [classes]; none where the generator knows none
  std::span<const std::uint8_t> picture;  // [H,W,C]
};

struct ProjectedRow {
  std::vector<float> latent;                 // [latent]
  std::vector<float> picture;                // that it draws, [H,W,C] in -1..1
  float loss = 0, pixels = 0, features = 0;  // of it; features 0 where none are compared
  float squared_length = 0;                  // |z|^2
};

class Projector {
public:
  static constexpr int kRows = 8;  // at once

  // What the models consist of outlives this. Throws kind `internal` where an operator of the generator has no
  // derivative.
  Projector(Context& context, const SamplingModel& generator, Parameters::Block block,
            const ProjectorSettings& settings, const std::optional<FeatureNetwork>& features = std::nullopt);

  // At most kRows tasks; a row for each.
  std::vector<ProjectedRow> run(std::span<const ProjectionTask> tasks);

private:
  struct Outputs {
    Value pictures, loss, pixels, features, squares;
  };

  Execution make_execution(const SamplingModel& generator, Parameters::Block block,
                           const std::optional<FeatureNetwork>& features);
  void give_features(std::span<const ProjectionTask> tasks);

  Context& context_;
  ProjectorSettings settings_;
  Shape picture_;                             // [1,H,W,C]
  int latent_ = 0, classes_ = 0, width_ = 0;  // width_: of features, 0 where there are none
  Outputs outputs_;
  Execution execution_;
  Buffer arena_, step_, latents_, m_, v_, class_shares_, targets_, target_features_, feature_scales_;
  std::optional<RowSampler> features_of_;
  std::size_t feature_output_ = 0;
};

}  // namespace duel
