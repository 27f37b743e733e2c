// The recipes on two sources without pairs: that they learn what the other kind looks like, resume and stream, what
// they measure, what sheets show, and what they refuse.
#include "host/data/memory_source.h"
#include "host/parity/replay.h"
#include "host/recipes/cut.h"
#include "host/recipes/cyclegan.h"
#include "host/recipes/registry.h"
#include "host/train/comparisons.h"
#include "host/train/trainer.h"
#include "tests/support/small_run.h"
#include "tests/support/source_rows.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/training.h"
#include "tests/support/trajectory_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace duel::test {
namespace {

constexpr int kCount = 24;

Options unpaired_options(const std::string& preset_name) {
  Options options = small_options(preset_name);
  options.data.synthetic_count = kCount;
  options.data.synthetic_height = 12;
  options.data.synthetic_width = 8;
  options.data.into = "synthetic";
  options.model.filters = 4;
  options.model.blocks = 1;
  options.model.features = 8;
  options.loss.places = 12;
  options.train.batch = 4;
  options.train.steps = 200;
  return options;
}

// Grey pictures of levels from `darkest` to `brightest`, each another.
std::unique_ptr<const Source> levels(const std::string& name, int darkest, int brightest, int height = 12) {
  std::vector<std::uint8_t> pixels;
  unsigned seed = 7;
  for (int i = 0; i < kCount * height * 8; ++i) {
    seed = seed * 1664525 + 1013904223;
    pixels.push_back(static_cast<std::uint8_t>(darkest + static_cast<int>(seed >> 24) * (brightest - darkest) / 255));
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back({picture_field("picture", height, 8, 1), std::move(pixels)});
  return std::make_unique<MemorySource>(name, std::move(columns));
}

Data dark_and_bright() {
  Data data;
  data["main"] = levels("night", 0, 100);
  data["into"] = levels("day", 155, 255);
  return data;
}

struct UnpairedTraining : Training {
  explicit UnpairedTraining(const Options& run_options) : Training(run_options, dark_and_bright()) {}

  // Of what the network as trained makes of all rows of a source, in -1..1.
  double mean_made(const Sampling& sampling, const std::string& source) {
    const std::vector<std::uint8_t> rows = read_field<std::uint8_t>(*data.at(source), "picture");
    RowSampler sampler(context, {sampling, trainer.networks(), trainer.memory().storage()}, Parameters::Block::master);
    double sum = 0;
    const std::size_t bytes = sampling.inputs[0].row_bytes();
    for (std::size_t at = 0; at < rows.size(); at += bytes) {
      const std::span<const std::byte> row = std::as_bytes(std::span(rows).subspan(at, bytes));
      const std::vector<float> made = sampler.run(context, std::array{row})[0];
      sum += std::accumulate(made.begin(), made.end(), 0.0) / static_cast<double>(made.size());
    }
    return sum * static_cast<double>(bytes) / static_cast<double>(rows.size());
  }
};

class EachUnpaired : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Unpaired, EachUnpaired, testing::Values("cut", "cyclegan"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(EachUnpaired, ResumesByteForByteAndStreams) {
  const Options options = unpaired_options(GetParam());
  expect_resumed_byte_for_byte<UnpairedTraining>(options, 2, GetParam());
  expect_streamed_alike<UnpairedTraining>(options);
}

// Every third layer is an instance norm, so PyTorch's own float32 is up to 6e-5 from its float64 here: the bounds are
// those of `duel parity`, and not the narrower ones of other records.
TEST_P(EachUnpaired, ComputesWhatPyTorchDoes) {
  const Trajectory trajectory(golden_folder() / "unpaired" / (std::string(GetParam()) + ".safetensors"));
  EXPECT_EQ(trajectory.steps(), 5);
  EXPECT_EQ(trajectory.doubt(), "");
  Context context = Context::cpu(2);
  Replay replay(context, trajectory, "fp32", default_bounds("fp32"));
  for (int step = 1; step <= trajectory.steps(); ++step) {
    const ReplayedStep result = replay.step();
    EXPECT_FALSE(result.first_off) << result.first_off->deviation.tensor << " " << result.first_off->deviation.value;
    for (const Deviation& loss : result.duel.losses) {
      EXPECT_LT(loss.value, 1e-5) << loss.tensor;
    }
  }
}

// Dark pictures become bright; and of a cycle, bright ones dark.
TEST_P(EachUnpaired, LearnsWhatTheOtherKindLooksLike) {
  Options options = unpaired_options(GetParam());
  options.optimizer.generator_learning_rate = options.optimizer.discriminator_learning_rate = 2e-3;
  UnpairedTraining training(options);
  const Sampling there = *training.trainer.recipe().translation();
  EXPECT_LT(training.mean_made(there, "main"), 0.2);
  training.train(200);
  EXPECT_GT(training.mean_made(there, "main"), 0.35);
  for (const auto& [name, back] : training.trainer.recipe().single_networks()) {
    EXPECT_LT(training.mean_made(back, "into"), -0.35) << name;
  }
}

TEST_P(EachUnpaired, MeasuresWhatItIsTrainedBy) {
  Options options = unpaired_options(GetParam());
  UnpairedTraining training(options);
  training.train(1);
  EXPECT_GT(training.metric("r1"), 0);
  const bool is_cut = options.recipe == "cut";
  const char* kept = is_cut ? "contrast" : "cycle";
  const double weight = is_cut ? options.loss.contrast : options.loss.cycle;
  const double loss = training.metric("adversary") +
                      weight * (training.metric(kept) + options.loss.identity * training.metric("identity"));
  EXPECT_NEAR(training.metric("g_loss"), loss, 1e-5 * loss);
  options.loss.identity = 0;
  options.loss.r1 = 0.0;
  UnpairedTraining without(options);
  without.train(1);
  const std::vector<std::string>& names = without.trainer.metric_names();
  EXPECT_EQ(std::find(names.begin(), names.end(), "identity"), names.end());
  EXPECT_EQ(std::find(names.begin(), names.end(), "r1"), names.end());
  EXPECT_NEAR(without.metric("g_loss"), without.metric("adversary") + weight * without.metric(kept), 1e-5 * loss);
}

TEST_P(EachUnpaired, ASheetShowsWhatIsGivenAndWhatIsMadeOfIt) {
  Options options = unpaired_options(GetParam());
  options.output.sample_rows = 2;
  options.output.sample_columns = 4;
  UnpairedTraining training(options);
  Comparisons comparisons(options, *training.data.at("main"), training.trainer,
                          *training.trainer.recipe().translation());
  EXPECT_EQ(comparisons.panels(), 2);
  comparisons.snapshot().begin();
  comparisons.snapshot().wait();
  const std::vector<float> sheet = comparisons.sheet();
  ASSERT_EQ(sheet.size(), std::size_t{2 * 2 * 2 * 12 * 8});
  const std::vector<std::uint8_t> rows = read_field<std::uint8_t>(*training.data.at("main"), "picture");
  for (int x = 0; x < 8; ++x) {
    EXPECT_NEAR(sheet[static_cast<std::size_t>(x)], rows[static_cast<std::size_t>(x)] / 127.5F - 1, 1e-6F);
  }
  comparisons.snapshot().release();
}

TEST_P(EachUnpaired, WhatCannotBeTrainedIsRefused) {
  const Options options = unpaired_options(GetParam());
  const std::string who = "recipe " + options.recipe + ": ";
  const auto refused = [&](const Options& asked, const Data& data, const std::string& message) {
    Fields fields;
    for (const auto& [name, source] : data) {
      fields[name] = source->fields();
    }
    EXPECT_ERROR(make_recipe(asked, fields, 10), Error::Kind::usage, message);
  };
  Data data = dark_and_bright();
  data["into"] = levels("day", 0, 255, 16);
  refused(options, data,
          who +
              "the pictures of data.source are 12x8x1 (height, width, channels), but those of data.into "
              "are 16x8x1");
  data.erase("into");
  refused(options, data, who + "nothing says what the pictures are to become; give --into FOLDER (data.into)");
  Options other = options;
  other.loss.kind = "relativistic";
  refused(other, dark_and_bright(), who + "loss.kind = relativistic judges pairs");
  data["main"] = levels("night", 0, 255, 10);
  data["into"] = levels("day", 0, 255, 10);
  refused(options, data, "translator: pictures are 10x8, but height and width must be multiples of 4 and at least 8");
}

TEST(Unpaired, TheSecondFolderIsOpenedAsTheFirst) {
  Options options = unpaired_options("cut");
  const Data data = small_dataset(options);
  EXPECT_EQ(read_field<std::uint8_t>(*data.at("main"), "picture"),
            read_field<std::uint8_t>(*data.at("into"), "picture"));
  options.data.into = "/nowhere/at/all";
  EXPECT_ERROR(small_dataset(options), Error::Kind::data, "no data set '/nowhere/at/all'");
  options.data.into = "none";
  EXPECT_EQ(small_dataset(options).size(), 1U);
}

}  // namespace
}  // namespace duel::test
