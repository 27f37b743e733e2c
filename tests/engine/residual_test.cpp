// The networks of engine/models/residual.h: their sizes, and what cannot be made. What they compute is compared with
// PyTorch's by tests/golden/residual.toml.
#include "engine/models/residual.h"

#include "kernels/check.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

struct Counts {
  std::int64_t generator, discriminator;
};

Counts counts_of(const ResidualConfig& config) {
  Parameters g("generator"), d("discriminator");
  const ResidualGenerator generator(g, config);
  const ResidualDiscriminator discriminator(d, config);
  return {g.parameter_count(), d.parameter_count()};
}

// Huang et al. 2024, table 9, gives them in millions: 22.43 and 22.38, 20.78 and 21.28, 20.73 and 20.68.
TEST(Residual, HasAsManyParametersAsThePapers) {
  ResidualConfig config{.height = 64,
                        .width = 64,
                        .channels = 3,
                        .latent = 64,
                        .widths = {768, 768, 768, 768, 384},
                        .blocks = {2, 2, 2, 2, 2}};
  const Counts faces = counts_of(config);
  EXPECT_EQ(faces.generator, 22'429'824);
  EXPECT_EQ(faces.discriminator, 22'381'440);
  config.height = config.width = 32;
  config.widths = {768, 768, 768, 768};
  config.blocks = {2, 2, 2, 2};
  const Counts stacked = counts_of(config);
  EXPECT_EQ((stacked.generator + 5000) / 10000, 2073);
  EXPECT_EQ((stacked.discriminator + 5000) / 10000, 2068);
  config.classes = 10;
  const Counts by_class = counts_of(config);
  EXPECT_EQ(by_class.generator, 20'781'952);
  EXPECT_EQ(by_class.discriminator, 21'280'512);
}

TEST(Residual, WhatCannotBeMadeIsRefused) {
  ResidualConfig config;
  EXPECT_NO_THROW(check_residual(config));
  config.width = 30;
  EXPECT_ERROR(check_residual(config), Error::Kind::usage,
               "residual: pictures are 28x30, but with 3 stages height and width must be multiples of 4");
  config = {};
  config.widths = {64, 32, 12};
  EXPECT_ERROR(check_residual(config), Error::Kind::usage, "residual: widths are [64,32,12] and blocks [2,2,2]");
  config.widths = {64, 32};
  EXPECT_ERROR(check_residual(config), Error::Kind::usage, "residual: widths are [64,32] and blocks [2,2,2]");
  config.widths = {};
  config.blocks = {};
  EXPECT_ERROR(check_residual(config), Error::Kind::usage, "residual: widths are [] and blocks []");
  config = {};
  config.channels = 5;
  EXPECT_ERROR(check_residual(config), Error::Kind::usage, "residual: pictures have 5 channels, but must have 1 to 4");
  config = {};
  config.latent = 0;
  EXPECT_ERROR(check_residual(config), Error::Kind::usage, "residual: 0 latents must be at least 1");
}

}  // namespace
}  // namespace duel::test
