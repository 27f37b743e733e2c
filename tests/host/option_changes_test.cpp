// What a run that goes on may change, and what not.
#include "host/config/option_changes.h"

#include "host/config/configuration.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace duel {
namespace {

TEST(OptionChanges, NameOldAndNewValues) {
  const Options before = preset("steady");
  Options after = before;
  EXPECT_TRUE(option_changes(before, after).empty());
  after.train.batch = 32;
  after.loss.kind = "hinge";
  EXPECT_EQ(shown(option_changes(before, after)), "loss.kind \"relativistic\" -> \"hinge\", train.batch 64 -> 32");
}

TEST(OptionChanges, WhatMakesOtherNetworksIsRefused) {
  const Options before = preset("steady");
  const auto refused = [&](const auto& edit, Continuation how) {
    Options after = before;
    edit(after);
    const auto error = test::error_of([&] { check_same_networks(before, after, how, "run at step 40"); });
    return error ? std::string(error->what()) : std::string();
  };
  for (const Continuation how : {Continuation::same_run, Continuation::new_run}) {
    EXPECT_NE(refused([](Options& o) { o.model.generator_activation = "tanh"; }, how)
                  .find("run at step 40: its weights belong to other options, which cannot change: "
                        "model.generator_activation \"relu\" -> \"tanh\""),
              std::string::npos);
    EXPECT_NE(refused([](Options& o) { o.model.leaky_slope = 0.1; }, how), "");
    EXPECT_NE(refused([](Options& o) { o.model.latent = 99; }, how), "");
    EXPECT_EQ(refused([](Options& o) { o.precision = "bf16"; }, how), "");
    EXPECT_EQ(refused([](Options& o) { o.loss.r1 = o.optimizer.ema_decay = 0.25; }, how), "");
    EXPECT_EQ(refused([](Options& o) { o.train.steps = o.threads = 5; }, how), "");
  }
  const auto seed = [](Options& o) { o.seed = 4; };
  EXPECT_NE(refused(seed, Continuation::same_run).find("seed 0 -> 4"), std::string::npos);
  EXPECT_EQ(refused(seed, Continuation::new_run), "");
}

}  // namespace
}  // namespace duel
