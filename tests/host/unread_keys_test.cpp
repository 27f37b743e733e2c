// Options that have no effect on what is trained.
#include "host/recipes/unread_keys.h"

#include "host/config/option_keys.h"
#include "host/config/presets.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

TEST(UnreadKeys, APresetReadsWhatItSays) {
  for (const char* name : {"classic", "conv-steady", "dcgan", "photographs", "residual", "sagan", "steady", "classify",
                           "classify-photographs", "vae", "enlarge", "enlarge-crisp", "repair", "inpaint", "pix2pix",
                           "cut", "cyclegan", "tryon"}) {
    EXPECT_EQ(unread_changes(preset(name)), "") << name;
  }
}

TEST(UnreadKeys, WhatIsChangedForNothingIsTold) {
  Options options = preset("conv-steady");
  options.model.filters = 16;
  options.loss.r1 = 1.0;
  options.train.batch = 8;
  EXPECT_EQ(unread_changes(options), "");
  options.model.discriminator_channels = {8};
  EXPECT_EQ(unread_changes(options),
            "model.discriminator_channels has no effect: recipe gan with networks conv-steady does not read it");
  options = preset("vae");
  options.loss.kind = "hinge";
  options.optimizer.generator_learning_rate = 0.5;
  EXPECT_EQ(unread_changes(options),
            "loss.kind, optimizer.generator_learning_rate have no effect: recipe vae does not read them");
  options = preset("enlarge");
  options.loss.r1 = 1.0;
  EXPECT_EQ(unread_changes(options), "loss.r1 has no effect: recipe restore without loss.adversary does not read it");
  options.loss.adversary = 0.1;
  EXPECT_EQ(unread_changes(options), "");
  options.perceptual.weight = 0.2;
  EXPECT_EQ(unread_changes(options),
            "perceptual.weight has no effect: recipe restore without perceptual.run does not read it");
  options.perceptual.run = "kinds";
  EXPECT_EQ(unread_changes(options), "");
}

TEST(UnreadKeys, EveryKeyHasAReader) {
  for (const OptionKey& key : option_keys()) {
    bool is_read = false;
    for (const char* name :
         {"classic", "conv-steady", "residual", "classify", "vae", "enlarge", "pix2pix", "cut", "cyclegan"}) {
      Options options = preset(name);
      options.perceptual.run = "kinds";
      is_read = is_read || reads_key(options, key.name);
    }
    EXPECT_TRUE(is_read) << key.name;
  }
}

}  // namespace
}  // namespace duel::test
