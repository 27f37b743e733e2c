// The distance by what a classifier sees (host/recipes/perceptual_distance.h): what it is, that its network stays as it
// was, that a run goes on without the classifier's, what is refused.
#include "engine/nn/difference.h"
#include "host/config/configuration.h"
#include "host/recipes/perceptual_distance.h"
#include "host/recipes/restore_networks.h"
#include "host/train/perceptual_run.h"
#include "host/train/training_run.h"
#include "tests/support/small_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/training.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace duel::test {
namespace {

Options of_pictures(Options options) {
  options.data.synthetic_count = 24;
  options.data.synthetic_height = options.data.synthetic_width = 16;
  options.data.synthetic_channels = 3;
  options.train.batch = 4;
  return options;
}

std::string train_classifier(const TemporaryFolder& folder) {
  TrainingRequest request;
  request.options = of_pictures(small_options("classify"));
  request.options.model.filters = 4;
  request.options.model.blocks = 1;
  request.options.model.stages = 3;
  request.options.train.steps = 5;
  request.folder = (folder / "kinds").string();
  EXPECT_EQ(run_training(request).exit_code, 0);
  return request.folder;
}

Options enlarging(const std::string& classifier, double weight = 0.5) {
  Options options = of_pictures(small_options("enlarge"));
  options.data.size = "auto";
  options.data.crop = 8;
  options.model.blocks = 1;
  options.optimizer.learning_rate = 1e-3;  // whatever the number of steps
  options.perceptual.run = classifier;
  options.perceptual.weight = weight;
  describe_perceptual_run(options);
  return options;
}

std::vector<float> weights_of(Training& training, const std::string& network) {
  return download<float>(training.context,
                         training.trainer.networks().parameters(network).view(Parameters::Block::master));
}

TEST(Perceptual, ADifferenceIsMeasuredInUnitsOfTheSecond) {
  SmallProgram s;
  const Value a = s.input({3, 4, 5, 2}), b = s.input({3, 4, 5, 2}), zero = s.input({7}, 0, 0), one = s.input({7}, 1, 1);
  const Value between = relative_squared_difference(s.program, a, b);
  const Value of_nothing = relative_squared_difference(s.program, zero, zero);
  const Value of_ones = relative_squared_difference(s.program, zero, one);
  for (const Value each : {between, of_nothing, of_ones}) {
    s.program.keep(each);
  }
  s.finish();
  s.run();
  double squares = 0, reference = 0;
  for (int i = 0; i < 120; ++i) {
    const double x = s.data(0)[i], y = s.data(1)[i];
    squares += (x - y) * (x - y);
    reference += y * y;
  }
  EXPECT_NEAR(s.read(between)[0], squares / reference, 1e-5);
  EXPECT_EQ(s.read(of_nothing)[0], 0);
  EXPECT_NEAR(s.read(of_ones)[0], 1, 1e-6);
}

TEST(Perceptual, TheClassifierComesFromItsRunAndStaysAsItWas) {
  const TemporaryFolder folder;
  const std::string classifier = train_classifier(folder);
  Training kinds([&] {
    Options options = options_from_toml(read_file(folder / "kinds/config.toml"), "config.toml");
    return options;
  }());
  kinds.trainer.load(folder / "kinds/checkpoints/step_000000005");
  Training training(enlarging(classifier));
  EXPECT_NE(weights_of(training, "classifier"), weights_of(kinds, "classifier"));
  training.trainer.load_pretrained();
  EXPECT_EQ(weights_of(training, "classifier"), weights_of(kinds, "classifier"));
  const auto state = [](Training& its) {
    std::map<std::string, std::vector<float>> values;
    for (const StateMemory::Array& array : its.trainer.memory().state().arrays()) {
      values[array.name] = download<float>(its.context, array.view);
    }
    return values;
  };
  const auto seen = state(training);
  EXPECT_EQ(seen, state(kinds));
  EXPECT_FALSE(seen.empty());
  const std::vector<float> before = weights_of(training, kRestorer);
  training.train(3);
  EXPECT_NE(weights_of(training, kRestorer), before);
  EXPECT_EQ(weights_of(training, "classifier"), weights_of(kinds, "classifier"));
  EXPECT_EQ(state(training), seen);
}

TEST(Perceptual, ItsWeightScalesWhatItAdds) {
  const TemporaryFolder folder;
  const std::string classifier = train_classifier(folder);
  Options plain = enlarging(classifier);
  plain.perceptual = {};
  Training without(plain), unweighted(enlarging(classifier, 0)), weighted(enlarging(classifier, 0.5));
  for (Training* each : {&unweighted, &weighted}) {
    each->trainer.load_pretrained();
  }
  for (Training* each : {&without, &unweighted, &weighted}) {
    each->train(1);
  }
  EXPECT_GT(unweighted.metric("perceptual"), 0);
  EXPECT_EQ(unweighted.metric("loss"), unweighted.metric("restoration"));
  EXPECT_NEAR(weighted.metric("loss"), weighted.metric("restoration") + 0.5 * weighted.metric("perceptual"), 1e-6);
  EXPECT_EQ(weights_of(unweighted, kRestorer), weights_of(without, kRestorer));
  EXPECT_NE(weights_of(weighted, kRestorer), weights_of(without, kRestorer));
}

TEST(Perceptual, ItFallsWhereItIsAllThatCounts) {
  const TemporaryFolder folder;
  Options options = enlarging(train_classifier(folder), 1);
  options.loss.restoration_weight = 0;
  options.data.synthetic_count = options.train.batch;  // the same pictures in each step
  options.data.crop = 0;
  options.augment.flip = options.augment.turn = false;
  options.train.steps = 60;
  options.optimizer.learning_rate = 3e-3;
  Training training(options);
  training.trainer.load_pretrained();
  training.train(1);
  const double before = training.metric("perceptual");
  training.train(59);
  EXPECT_LT(training.metric("perceptual"), 0.8 * before);
}

TEST(Perceptual, ARunGoesOnAndIsReadWithoutTheClassifiers) {
  const TemporaryFolder folder;
  TrainingRequest request;
  request.options = enlarging(train_classifier(folder));
  request.options.train.steps = 6;
  request.options.output.checkpoint_every = 3;
  request.options.output.keep_last = 0;
  request.folder = (folder / "whole").string();
  ASSERT_EQ(run_training(request).exit_code, 0);
  request.folder = (folder / "halves").string();
  request.options.train.steps = 3;
  ASSERT_EQ(run_training(request).exit_code, 0);
  std::filesystem::remove_all(folder / "kinds");
  request.resume = true;
  request.options = options_from_toml(read_file(folder / "halves/config.toml"), "config.toml");
  request.options.train.steps = 6;
  ASSERT_EQ(run_training(request).exit_code, 0);
  const auto tensors = [&](const std::string& run) {
    return read_file(folder / (run + "/checkpoints/step_000000006/state.safetensors"));
  };
  EXPECT_FALSE(tensors("whole").empty());
  EXPECT_TRUE(tensors("whole") == tensors("halves"));
  // A new one has nowhere to take it from.
  request.resume = false;
  request.folder = (folder / "third").string();
  EXPECT_ERROR(run_training(request), Error::Kind::data, "kinds");
}

TEST(Perceptual, WhatDoesNotFitIsRefused) {
  const TemporaryFolder folder;
  const std::string classifier = train_classifier(folder);
  TrainingRequest request;
  request.options = small_options();
  request.options.train.steps = 1;
  request.folder = (folder / "garments").string();
  ASSERT_EQ(run_training(request).exit_code, 0);
  EXPECT_ERROR(enlarging(request.folder), Error::Kind::usage,
               "is a run of the recipe gan, which tells no pictures apart");
  EXPECT_ERROR(enlarging((folder / "nothing").string()), Error::Kind::data, "nothing: there is no such run directory");
  Options grey = enlarging(classifier);
  grey.data.synthetic_channels = 1;
  EXPECT_ERROR(Training{grey}, Error::Kind::usage, "its classifier looks at pictures of 3 channels, but these have 1");
  Options undescribed = enlarging(classifier);
  undescribed.perceptual.channels = 0;
  EXPECT_ERROR(Training{undescribed}, Error::Kind::usage, "classifier");
}

}  // namespace
}  // namespace duel::test
