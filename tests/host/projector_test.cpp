// Latents that are looked for, and what stands beside those that were found.
#include "host/latents/projector.h"
#include "host/data/memory_source.h"
#include "host/latents/projection_text.h"
#include "host/latents/training_neighbours.h"
#include "host/sample/latent_file.h"
#include "host/sample/latents.h"
#include "tests/support/one_layer_model.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace duel {
namespace {

using test::OneLayerModel;

// What the layer makes of a latent, as bytes.
std::vector<std::uint8_t> drawn(const std::vector<float>& weights, const std::vector<float>& z) {
  std::vector<std::uint8_t> pixels;
  for (std::size_t j = 0; j < 16; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      sum += double{z[i]} * weights[i * 16 + j];
    }
    pixels.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(127.5 * (sum + 1), 0.0, 255.0))));
  }
  return pixels;
}

// |z|^2 = 4, the mean of four numbers' squares, where the prior costs nothing; small enough for pixels in -1..1.
const std::vector<float> kWanted = {0.5F, -1.5F, 1.0F, -0.70710678F};

TEST(Projector, FindsTheLatentOfALinearGenerator) {
  OneLayerModel of;
  ProjectorSettings settings;
  settings.steps = 400;
  Projector projector(of.context, of.model(), Parameters::Block::master, settings);
  std::vector<float> weights = of.weights();
  const std::vector<float> starts = sampled_latents(of.context, 1, 3, 4);
  const std::vector<std::uint8_t> target = drawn(weights, kWanted);
  ASSERT_GT(*std::min_element(target.begin(), target.end()), 0);  // nothing was cut off
  ASSERT_LT(*std::max_element(target.begin(), target.end()), 255);
  std::vector<ProjectionTask> tasks;
  for (std::size_t i = 0; i < 3; ++i) {
    tasks.push_back({std::span(starts).subspan(4 * i, 4), {}, target});
  }
  for (const ProjectedRow& row : projector.run(tasks)) {
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(row.latent[i], kWanted[i], 0.02) << i;  // the pictures are bytes, an eighth of a hundredth apart
    }
    EXPECT_LT(row.pixels, 2e-5);
    EXPECT_NEAR(row.squared_length, 4, 0.1);
    EXPECT_EQ(row.features, 0);
    EXPECT_GE(row.loss, row.pixels);
  }
}

TEST(Projector, StartsDoNotDependOnEachOther) {
  OneLayerModel of(ActivationKind::tanh);
  ProjectorSettings settings;
  settings.steps = 20;
  Projector projector(of.context, of.model(), Parameters::Block::master, settings);
  const std::vector<float> starts = sampled_latents(of.context, 1, 8, 4);
  const std::vector<std::uint8_t> target = drawn(of.weights(), kWanted);
  std::vector<ProjectionTask> tasks;
  for (std::size_t i = 0; i < 8; ++i) {
    tasks.push_back({std::span(starts).subspan(4 * i, 4), {}, target});
  }
  const std::vector<ProjectedRow> together = projector.run(tasks);
  ASSERT_EQ(together.size(), 8U);
  for (const std::size_t i : {std::size_t{0}, std::size_t{5}}) {
    const std::vector<ProjectedRow> alone = projector.run({&tasks[i], 1});
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_EQ(alone[0].latent, together[i].latent);
    EXPECT_EQ(alone[0].picture, together[i].picture);
    EXPECT_EQ(alone[0].loss, together[i].loss);
  }
  EXPECT_NE(together[0].latent, together[1].latent);
}

// A prior that weighs much pulls a latent to the length that latents have.
TEST(Projector, ThePriorHoldsTheLength) {
  OneLayerModel of(ActivationKind::tanh);
  ProjectorSettings settings;
  settings.steps = 200;
  const std::vector<float> start = {0.5F, 0.5F, -0.5F, 0.5F};
  const std::vector<std::uint8_t> target = {0, 255, 0, 255, 255, 0, 255, 0, 0, 255, 0, 255, 255, 0, 255, 0};
  const std::vector<ProjectionTask> tasks = {{start, {}, target}};
  const auto length = [&](double prior) {
    settings.prior_weight = prior;
    return Projector(of.context, of.model(), Parameters::Block::master, settings).run(tasks)[0].squared_length;
  };
  EXPECT_NEAR(length(10), 4, 0.2);
  EXPECT_GT(std::abs(length(0) - 4), 0.5);
}

TEST(LatentFile, IsReadAsItWasWritten) {
  const test::TemporaryFolder folder;
  SavedLatents saved{2, {1, 2, 3, 4}, {"Shoe", "Bag"}, {1, 0, 0.25F, 0.75F}, {"a.png", "b.png"}};
  write_latents(folder / "x", saved, {{"run", "r"}});
  const SavedLatents read = read_latents(folder / "x");
  EXPECT_EQ(read.width, 2);
  EXPECT_EQ(read.count(), 2);
  EXPECT_EQ(read.latents, saved.latents);
  EXPECT_EQ(read.classes, saved.classes);
  EXPECT_EQ(read.shares, saved.shares);
  EXPECT_EQ(read.names, saved.names);
  EXPECT_EQ(SafetensorsFile(folder / "x").metadata("run"), "r");
  saved.latents[1] = std::numeric_limits<float>::quiet_NaN();
  write_latents(folder / "nan", saved, {});
  EXPECT_ERROR(read_latents(folder / "nan"), Error::Kind::data, "not finite");
  test::write_file(folder / "no", "latents");
  EXPECT_ERROR(read_latents(folder / "no"), Error::Kind::data, "no: ");
}

TEST(TrainingNeighbours, AreTheNearestRowsMirroredOrNot) {
  // Rows of 1x2 pixels.
  const MemorySource source("rows", {{picture_field("picture", 1, 2, 1), {10, 20, 50, 90, 200, 100, 7, 7}}});
  const std::vector<Picture> pictures = {{1, 2, 1, {92, 52}}, {1, 2, 1, {10, 20}}};
  const TrainingNeighbours found = find_training_neighbours(source, pictures, 2, 1);
  ASSERT_EQ(found.nearest.size(), 2U);
  ASSERT_EQ(found.nearest[0].size(), 2U);
  EXPECT_EQ(found.nearest[0][0].row, 1);
  EXPECT_TRUE(found.nearest[0][0].is_mirrored);
  EXPECT_EQ(found.nearest[0][0].picture.pixels, (std::vector<std::uint8_t>{90, 50}));
  EXPECT_NEAR(found.nearest[0][0].psnr, 10 * std::log10(255.0 * 255.0 / 4), 1e-9);
  EXPECT_EQ(found.is_training_picture, (std::vector<bool>{false, true}));
  EXPECT_EQ(found.nearest[1][0].row, 3);  // not row 0, which is the picture itself
  EXPECT_EQ(found.mean.pixels, (std::vector<std::uint8_t>{67, 54}));
  EXPECT_EQ(are_rows_of(source, pictures), (std::vector<bool>{false, true}));
}

ProjectedPicture picture_of(const std::string& fold, double psnr) {
  ProjectedPicture picture;
  picture.fold = fold;
  picture.starts.push_back({0, "", 0, psnr, 0, 0});
  return picture;
}

TEST(Projection, FoldsAreComparedInASentence) {
  std::vector<ProjectedPicture> pictures = {picture_of("training", 30), picture_of("training", 31),
                                            picture_of("held out", 20)};
  EXPECT_EQ(compare_folds(pictures), "");  // one is no average
  pictures.push_back(picture_of("held out", 21));
  pictures.push_back(picture_of("new", 90));
  EXPECT_NE(compare_folds(pictures).find("30.50 dB on average and 2 held-out ones with 20.50 dB: 10.00 +- 1.41 dB"),
            std::string::npos)
      << compare_folds(pictures);
  EXPECT_NE(compare_folds(pictures).find("sign of memorisation"), std::string::npos);
  pictures[2].starts[0].psnr = 31;
  pictures[3].starts[0].psnr = 30;
  EXPECT_NE(compare_folds(pictures).find("no difference"), std::string::npos);
}

}  // namespace
}  // namespace duel
