// A recipe that is neither of two networks nor of one source nor of phases that all run at every step: it trains, is
// saved and resumed, measured and refused by the same code as every other.
#include "host/data/memory_source.h"
#include "host/files/safetensors.h"
#include "host/train/trainer.h"
#include "tests/support/cycle_recipe.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cmath>

namespace duel::test {
namespace {

using Block = Parameters::Block;

constexpr int kEvery = 3;  // steps from one update of the critic to the next

std::unique_ptr<const Source> pictures(const std::string& name, int rows, unsigned seed) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(rows) * 4 * 3);
  for (std::uint8_t& pixel : pixels) {
    seed = seed * 1664525 + 1013904223;
    pixel = static_cast<std::uint8_t>(seed >> 24);
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back({picture_field("picture", 4, 3, 1), std::move(pixels)});
  return std::make_unique<MemorySource>(name, std::move(columns));
}

Data unpaired() {
  Data data;
  data["a"] = pictures("summer", 11, 1);
  data["b"] = pictures("winter", 17, 2);
  return data;
}

Options cycle_options(const std::string& residency = "device") {
  Options options = small_options();
  options.train.batch = 4;
  options.schedule.residency = residency;
  return options;
}

TrainingPlan cycle_plan(const Options& options, const Data& data) {
  return plan_training(std::make_unique<CycleRecipe>(fields_of(data), kEvery), options, data,
                       options.schedule.residency == "stream", 1);
}

struct Training {
  explicit Training(const Options& run_options = cycle_options())
      : options(run_options), data(unpaired()), trainer(context, options, data, cycle_plan(options, data)) {
    trainer.on_row([this](std::int64_t step, std::span<const float> row) {
      steps.push_back(step);
      rows.emplace_back(row.begin(), row.end());
    });
  }

  std::vector<float> weights(const char* network, Block block = Block::master) {
    return download<float>(context, trainer.networks().parameters(network).view(block));
  }
  std::vector<float> everything() {
    std::vector<float> all;
    for (const SavedBlock& saved : trainer.blocks()) {
      const std::vector<float> values = download<float>(context, saved.block);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
  void train(int count) {
    trainer.run_to(trainer.steps_done() + count);
    trainer.drain();
  }

  Context context = Context::cpu(2);
  Options options;
  Data data;
  Trainer trainer;
  std::vector<std::int64_t> steps;
  std::vector<std::vector<float>> rows;
};

TEST(Recipe, ThreeNetworksOnTwoSourcesTrain) {
  Training training;
  const auto ab = training.weights("generator_ab"), ba = training.weights("generator_ba");
  training.train(60);
  EXPECT_NE(ab, training.weights("generator_ab"));
  EXPECT_NE(ba, training.weights("generator_ba"));
  EXPECT_NE(training.weights("generator_ab"), training.weights("generator_ab", Block::average));
  const std::size_t loss = 2;
  ASSERT_EQ(training.trainer.metric_names()[loss], "generators_loss");
  EXPECT_LT(training.rows.back()[loss], 0.9F * training.rows.front()[loss]);  // ten times the cycle's error, most of it
}

TEST(Recipe, APhaseRunsAndMeasuresOnlyInItsSteps) {
  Training training;
  for (int step = 0; step < 2 * kEvery + 1; ++step) {
    const auto before = training.weights("critic");
    training.train(1);
    EXPECT_EQ(before != training.weights("critic"), step % kEvery == 0) << step;
    EXPECT_EQ(training.trainer.has_metric(step + 1, 0), step % kEvery == 0) << step;
    EXPECT_TRUE(training.trainer.has_metric(step + 1, 2));
  }
}

TEST(Recipe, StateIsKeptFromStepToStepAndInCheckpoints) {
  Training training;
  const auto state = [&] { return download<float>(training.context, training.trainer.memory().state().block())[0]; };
  EXPECT_EQ(state(), 0.25F);
  training.train(1);
  const float first = state();
  EXPECT_NE(first, 0.25F);
  training.train(kEvery - 1);
  EXPECT_EQ(state(), first);
  training.train(1);
  EXPECT_NE(state(), first);

  const TemporaryFolder folder;
  training.trainer.save(folder.path());
  const SafetensorsFile file(folder / "state.safetensors");
  EXPECT_TRUE(file.contains("state/mean_logit"));
  Training other;
  other.trainer.load(folder.path());
  EXPECT_EQ(training.everything(), other.everything());
}

// Resumed in the middle of the critic's cycle, and streamed: the same bytes.
TEST(Recipe, AResumedAndAStreamedTrainingAreTheSame) {
  Training whole, first, second, streamed(cycle_options("stream"));
  const TemporaryFolder folder;
  whole.train(10);
  first.train(4);
  first.trainer.save(folder.path());
  second.trainer.load(folder.path());
  second.train(6);
  streamed.train(10);
  EXPECT_EQ(whole.everything(), second.everything());
  EXPECT_EQ(whole.everything(), streamed.everything());
}

TEST(Recipe, AJointUpdateIsClippedByTheNormOfAllItsGradients) {
  Training training;
  training.train(1);
  double squares = 0;
  for (const char* network : {"generator_ab", "generator_ba"}) {
    for (const float value : training.weights(network, Block::gradient)) {
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  EXPECT_NEAR(training.rows.back()[3], std::sqrt(squares), 1e-5 * std::sqrt(squares));
}

TEST(Recipe, ACheckpointOfAnotherRecipeIsRefused) {
  Training training;
  training.train(1);
  const TemporaryFolder folder;
  training.trainer.save(folder.path());
  const Options options = cycle_options();
  const Data data = small_dataset(options);
  Context context = Context::cpu(1);
  Trainer gan(context, options, data);
  EXPECT_ERROR(gan.load(folder.path()), Error::Kind::data,
               "is of the recipe cycle, but the configuration asks for gan");
}

TEST(Recipe, AFieldThatTheSourceLacksIsNamed) {
  Data data = unpaired();
  data.erase("b");
  EXPECT_ERROR(CycleRecipe(fields_of(data), 1), Error::Kind::usage,
               "recipe cycle: needs the field picture of a source b, but there are only the sources a");
}

}  // namespace
}  // namespace duel::test
