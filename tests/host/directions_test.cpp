// Directions among latents: the first layer that they are read off, and every preset's generator.
#include "host/latents/directions.h"

#include "host/latents/first_layer.h"
#include "host/latents/projector.h"
#include "host/metrics/linear_algebra.h"
#include "host/recipes/registry.h"
#include "host/recipes/state_memory.h"
#include "host/sample/latents.h"
#include "host/train/training_plan.h"
#include "tests/support/one_layer_model.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace duel {
namespace {

using test::OneLayerModel;

const std::vector<float> kLatent = {0.5F, -1.5F, 1.0F, -0.70710678F};

TEST(FirstLayer, ItsMatrixIsTheWeight) {
  OneLayerModel of;
  FirstLayer layer(of.context, of.model(), Parameters::Block::master);
  const FirstLayer::Matrix matrix = layer.matrix();
  ASSERT_EQ(matrix.outputs, 16);
  const std::vector<float> weights = of.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_NEAR(matrix.values[i], weights[i], 1e-6);
  }
  EXPECT_EQ(layer.latent(), 4);
}

TEST(FirstLayer, FeaturesAreBehindTheActivation) {
  OneLayerModel of(ActivationKind::relu);
  FirstLayer layer(of.context, of.model(), Parameters::Block::master);
  const FirstLayer::Rows rows = layer.features(kLatent, {});
  const std::vector<float> weights = of.weights();
  ASSERT_EQ(rows.width, 16);
  for (std::size_t j = 0; j < 16; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      sum += double{kLatent[i]} * weights[i * 16 + j];
    }
    EXPECT_NEAR(rows.values[j], std::max(sum, 0.0), 1e-5);
  }
}

Options options_of(const std::string& preset) {
  Options options = preset == "vae" ? test::small_vae_options() : test::small_options(preset);
  if (preset == "dcgan" || preset == "sagan") {
    options.data.synthetic_height = 16;
    options.data.synthetic_width = 16;
    options.model.filters = 8;
  } else if (preset != "vae" && preset != "classic") {
    options.data.synthetic_width = 12;
  }
  return options;
}

class EveryGenerator : public ::testing::TestWithParam<const char*> {};

// With the weights it starts with: each has derivatives down to the latent, and a first layer that is found.
TEST_P(EveryGenerator, CanBeProjectedAndExplored) {
  const Options options = options_of(GetParam());
  Context context = Context::cpu(2, KernelChoice::ours);
  const auto recipe = make_recipe(options, fields_of(test::small_dataset(options)), 40);
  const Networks networks(recipe->make_networks());
  const Sampling sampling = recipe->sampling();
  const StateMemory state(context,
                          record_sampling(sampling, networks, {1, Parameters::Block::master, std::nullopt}).state);
  networks.allocate_for_training(context, false);
  networks.initialize(context, 5);
  state.initialize(context);
  Storage storage;
  networks.add_to(storage);
  state.add_to(storage);
  const SamplingModel model{sampling, networks, storage};

  const Field latent = drawn_inputs(sampling).latent;
  const auto width = static_cast<int>(latent.shape.row_count());
  const std::vector<float> latents = sampled_latents(context, 2, 2, width);
  std::vector<float> shares(
      drawn_inputs(sampling).classes ? static_cast<std::size_t>(drawn_inputs(sampling).classes->shape.row_count()) : 0);
  std::fill_n(shares.begin(), shares.empty() ? 0 : 1, 1.0F);
  const auto size = static_cast<std::size_t>(width);
  ProjectorSettings settings;
  const auto project = [&](int steps, const std::vector<std::uint8_t>& target) {
    settings.steps = steps;
    Projector projector(context, model, Parameters::Block::master, settings);
    return projector.run(std::vector<ProjectionTask>{{std::span(latents).first(size), shares, target}})[0];
  };
  const std::size_t pixels = static_cast<std::size_t>(sampling.outputs[0].shape.count());
  const std::vector<std::uint8_t> bright(pixels, 160);
  const double before = project(1, bright).loss, after = project(60, bright).loss;
  EXPECT_LT(after, 0.999 * before);

  FirstLayer layer(context, model, Parameters::Block::master);
  const FirstLayer::Matrix matrix = layer.matrix();
  ASSERT_GT(matrix.outputs, 0);
  EXPECT_EQ(std::ssize(matrix.values), matrix.outputs * width);
  EXPECT_EQ(layer.place().rfind(sampling.networks[0], 0), 0U) << layer.place();
  EXPECT_EQ(layer.features(latents, {}).values.size(), 2 * static_cast<std::size_t>(layer.features(latents, {}).width));
}

INSTANTIATE_TEST_SUITE_P(Latents, EveryGenerator,
                         ::testing::Values("classic", "steady", "conv-steady", "photographs", "dcgan", "sagan",
                                           "residual", "vae"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A A^T of this matrix is [[5,4],[4,5]]: eigenvalues 9 and 1, vectors along the diagonals.
TEST(Directions, SefaByHand) {
  const std::vector<double> matrix = {2, 1, 1, 2};
  const std::vector<LatentDirection> found = sefa_directions(matrix.data(), 2, 2, 8);
  ASSERT_EQ(found.size(), 2U);
  const double half = std::numbers::sqrt2 / 2;
  EXPECT_NEAR(found[0].share, 0.9, 1e-12);
  EXPECT_NEAR(found[1].share, 0.1, 1e-12);
  EXPECT_NEAR(found[0].unit[0], half, 1e-6);
  EXPECT_NEAR(found[0].unit[1], half, 1e-6);
  EXPECT_NEAR(found[1].unit[0] * found[1].unit[1], -0.5, 1e-6);
}

// Of a layer without activation both kinds are the same: its features' covariance is that of A^T A.
TEST(Directions, PrincipalComponentsOfALinearLayerAreThoseOfSefa) {
  OneLayerModel of;
  FirstLayer layer(of.context, of.model(), Parameters::Block::master);
  const std::vector<float> latents = sampled_latents(of.context, 9, 4096, 4);
  const FirstLayer::Rows features = layer.features(latents, {});
  const std::vector<LatentDirection> pca = pca_directions(latents, features.values, 4, features.width, 3);
  const std::vector<LatentDirection> sefa = sefa_directions(layer.matrix().values.data(), 4, 16, 3);
  ASSERT_EQ(pca.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    double product = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      product += double{pca[i].unit[j]} * sefa[i].unit[j];
    }
    EXPECT_GT(std::abs(product), 0.97) << i;  // of 4,096 latents, not of all
    EXPECT_NEAR(pca[i].share, sefa[i].share, 0.03) << i;
  }
}

// Rows along two axes by hand: the variances are 9 * 2/3 and 1 * 2/3 around the mean.
TEST(Directions, PrincipalComponentsByHand) {
  const std::vector<float> rows = {5 + 3, 1, 0, 5 - 3, 1, 0, 5, 1 + 1, 0, 5, 1 - 1, 0};  // [4,3]
  const PrincipalComponents found = principal_components(rows.data(), 4, 3, 2);
  EXPECT_NEAR(found.variances[0], 6, 1e-5);
  EXPECT_NEAR(found.variances[1], 2.0 / 3, 1e-5);
  EXPECT_NEAR(found.total_variance, 6 + 2.0 / 3, 1e-5);
  EXPECT_NEAR(std::abs(found.coordinates[0]), 3, 1e-5);
  EXPECT_NEAR(found.coordinates[0], -found.coordinates[2], 1e-5);
  EXPECT_NEAR(std::abs(found.coordinates[5]), 1, 1e-5);
}

}  // namespace
}  // namespace duel
