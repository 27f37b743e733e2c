// How large the networks of engine/models are, what they refuse, and what of them is known without a record.
#include "engine/models/classifier.h"
#include "engine/models/conv_steady.h"
#include "engine/models/msr_resnet.h"
#include "engine/models/nafnet.h"
#include "engine/models/patch_discriminator.h"
#include "engine/models/translator.h"
#include "engine/models/unet.h"
#include "engine/models/vae.h"
#include "engine/nn/patch_contrast.h"
#include "engine/rewrite/differentiate.h"
#include "kernels/check.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace duel::test {
namespace {

using Block = Parameters::Block;

TEST(ModelSizes, AreThoseOfTheRecipes) {
  Parameters g("generator"), d("discriminator"), c("classifier"), e("encoder"), decoder("decoder");
  const ConvSteadyGenerator generator(g, {.classes = 10});
  const ConvSteadyDiscriminator discriminator(d, {.classes = 10});
  const Classifier classifier(c, {});
  const VaeEncoder vae_encoder(e, {});
  const VaeDecoder vae_decoder(decoder, {});
  EXPECT_EQ(g.parameter_count(), 973953);  // as PyTorch counts those of the networks that they were made after
  EXPECT_EQ(d.parameter_count(), 911585);
  EXPECT_EQ(c.parameter_count(), 272186);
  Parameters repair("nafnet"), enlarge("msr_resnet"), wide("wide");
  const Nafnet nafnet(repair, {});
  const MsrResnet msr_resnet(enlarge, {.scale = 4});
  const Nafnet wide_nafnet(wide, {.channels = 32, .down = {1, 1, 1, 28}, .middle = 1, .up = {1, 1, 1, 1}});
  EXPECT_EQ(wide.parameter_count(), 17111907);    // 17.1 million: Chen et al., table 8
  EXPECT_EQ(enlarge.parameter_count(), 1517571);  // BasicSR's, with F 64 and 16 blocks
  Parameters translate("unet"), judge("patch_discriminator"), normed("normed");
  const Unet unet(translate, {.height = 256, .width = 256, .levels = 8});
  const PatchDiscriminator patches(judge, {.height = 256, .width = 256, .channels = 6});
  const PatchDiscriminator normed_patches(normed, {.channels = 6, .is_normalized = true});
  // Of pytorch-CycleGAN-and-pix2pix's unet_256, whose batch norms have as many parameters, and the biases of e_1 and
  // e_n.
  EXPECT_EQ(translate.parameter_count(), 54413955 + 64 + 512);
  EXPECT_EQ(normed.parameter_count(), 2768705);                   // of its basic discriminator
  EXPECT_EQ(judge.parameter_count(), 2768705 - 256 - 512 - 128);  // with a bias in place of a scale and a shift
  EXPECT_EQ(e.parameter_count() + decoder.parameter_count(), 990249);
}

template <class Call>
void expect_usage_error(const Call& call, const std::string& named) {
  try {
    call();
    ADD_FAILURE() << "not refused: " << named;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
  }
}

TEST(ModelSizes, ThatCannotBeAreRefused) {
  Parameters p("network");
  expect_usage_error([&] { ConvSteadyGenerator(p, {.height = 30}); }, "30x28");
  expect_usage_error([&] { ConvSteadyDiscriminator(p, {.channels = 5}); }, "5 channels");
  expect_usage_error([&] { ConvSteadyDiscriminator(p, {.features = 0}); }, "0 features");
  expect_usage_error([&] { ConvSteadyGenerator(p, {.height = 4092, .width = 4092, .filters = 1024}); }, "4092x4092");
  expect_usage_error([&] { VaeEncoder(p, {.width = 27}); }, "28x27");
  expect_usage_error([&] { VaeDecoder(p, {.latent = 0}); }, "0 latents");
  expect_usage_error([&] { Classifier(p, {.classes = 0}); }, "0 outputs");
  expect_usage_error([&] { Classifier(p, {.stages = 9}); }, "9 stages");
  expect_usage_error([&] { Classifier(p, {.channels = 0}); }, "0 channels");
  expect_usage_error([&] { Nafnet(p, {.height = 60}); }, "60x64");
  expect_usage_error([&] { Nafnet(p, {.up = {1, 1}}); }, "[1,1,2] on the way down, 2 in the middle and [1,1] on");
  expect_usage_error([&] { Nafnet(p, {.inputs = 2}); }, "2 inputs and 3 outputs");
  expect_usage_error([&] { MsrResnet(p, {.scale = 5}); }, "the scale is 5");
  expect_usage_error([&] { MsrResnet(p, {.channels = 5}); }, "5 channels");
  expect_usage_error([&] { Unet(p, {.height = 96}); }, "96x128, but with 7 levels");
  expect_usage_error([&] { Unet(p, {.height = 75, .levels = unet_levels(75, 128)}); }, "75x128 with 0 levels");
  expect_usage_error([&] { Unet(p, {.filters = 0}); }, "0 filters");
  expect_usage_error([&] { PatchDiscriminator(p, {.height = 23}); }, "23x64, but with 3 halvings");
  expect_usage_error([&] { PatchDiscriminator(p, {.width = 20}); }, "at least 24");
  expect_usage_error([&] { PatchDiscriminator(p, {.halvings = 0}); }, "0 halvings");
  expect_usage_error([&] { PatchDiscriminator(p, {.channels = 0}); }, "0 channels");
  EXPECT_EQ(p.parameter_count(), 0);  // before the first layer
}

TEST(Unet, HasAsManyLevelsAsItsPicturesCanBeHalved) {
  EXPECT_EQ(unet_levels(128, 128), 7);
  EXPECT_EQ(unet_levels(96, 64), 5);
  EXPECT_EQ(unet_levels(1024, 1024), 8);
  EXPECT_EQ(unet_levels(75, 64), 0);
}

TEST(Translator, TakesPicturesThatItCanHalveTwice) {
  Parameters p("generator");
  expect_usage_error([&] { Translator(p, {.height = 62}); }, "62x64, but height and width must be multiples of 4");
  expect_usage_error([&] { Translator(p, {.width = 4}); }, "at least 8");
  expect_usage_error([&] { Translator(p, {.channels = 5}); }, "5 channels must be 1 to 4");
  expect_usage_error([&] { Translator(p, {.blocks = 0}); }, "0 blocks at least 1");
  EXPECT_EQ(p.parameter_count(), 0);  // before the first layer
  const Translator whole(p, {});
  EXPECT_EQ(p.parameter_count(), 11378179 - 5248);  // pytorch-CycleGAN-and-pix2pix's, but for biases before a norm
  EXPECT_EQ(feature_channels({}), (std::vector<int>{3, 128, 256, 256, 256}));
  EXPECT_EQ(feature_channels({.blocks = 2}), (std::vector<int>{3, 128, 256, 256}));
}

TEST(PatchContrast, CellsAreNoMoreThanAskedForNorSmallerThanPixels) {
  for (const int places : {1, 2, 7, 64, 255, 256}) {
    for (const int height : {1, 2, 5, 16, 64}) {
      for (const int width : {1, 3, 16, 48}) {
        const PlaceCells cells = cells_of(places, height, width);
        EXPECT_GE(std::min(cells.rows, cells.columns), 1);
        EXPECT_LE(cells.count(), places);
        EXPECT_LE(cells.rows, height);
        EXPECT_LE(cells.columns, width);
      }
    }
  }
  EXPECT_EQ(cells_of(256, 64, 64).rows, 16);
  EXPECT_EQ(cells_of(256, 16, 16).count(), 256);
  EXPECT_EQ(cells_of(256, 8, 8).count(), 64);
}

// A logit sees 70x70 pixels, and pictures beyond its patch change nothing of it.
TEST(PatchDiscriminator, JudgesPartsOfSeventyPixels) {
  SmallProgram s;
  const Value x = s.input({1, 128, 128, 1});
  Parameters parameters("discriminator");
  const PatchDiscriminator discriminator(parameters, {.height = 128, .width = 128, .channels = 1, .filters = 2});
  parameters.allocate(s.context(), {.training = false});
  parameters.initialize(s.context(), 1, 0);
  s.place(parameters);
  const Value logits = discriminator(s.program, {s.program, parameters, Block::master, false}, x);
  ASSERT_EQ(s.program.shape(logits), (Shape{1, 14, 14, 1}));
  Value row = s.program.reshape(logits, {14 * 14, 1});
  row = ops::slice_rows(s.program, row, 7 * 14 + 7, 1);  // one of the middle
  const Value gradient = differentiate(s.program, row, {x})[0];
  s.program.keep(gradient);
  s.finish();
  s.run();
  const std::vector<float> slopes = s.read(gradient);
  int top = 128, bottom = -1, left = 128, right = -1;
  for (int i = 0; i < 128 * 128; ++i) {
    if (slopes[static_cast<std::size_t>(i)] != 0) {
      top = std::min(top, i / 128);
      bottom = std::max(bottom, i / 128);
      left = std::min(left, i % 128);
      right = std::max(right, i % 128);
    }
  }
  EXPECT_EQ(bottom - top + 1, 70);
  EXPECT_EQ(right - left + 1, 70);
}

TEST(ConvSteady, HoldsToItsClasses) {
  SmallProgram s;
  const Value z = s.input({2, 64});
  Parameters g("generator");
  const ConvSteadyGenerator generator(g, {});
  g.allocate(s.context(), {.training = false});
  const BoundParameters weights(s.program, g, Block::master, false);
  EXPECT_THROW(generator(s.program, weights, z, s.labels({1, 2})), Error);
}

}  // namespace
}  // namespace duel::test
