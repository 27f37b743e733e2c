// Checkpoints and sample sheets beside the steps, on an emulated GPU that runs work late and in any order between
// streams that the events allow: the same bytes as of a training that stands still for each of them; and runs that end
// while one is on its way.
#include "emulator/runtime.h"
#include "host/device/device.h"
#include "host/pictures/png.h"
#include "host/pictures/sample_grid.h"
#include "host/run/interrupt.h"
#include "host/run/run_directory.h"
#include "host/sample/classify.h"
#include "host/sample/sampler.h"
#include "host/train/memory_check.h"
#include "host/train/trainer.h"
#include "host/train/training_run.h"
#include "kernels/check.h"
#include "tests/support/op_runner.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trained_state.h"
#include "tests/support/trajectory_file.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace duel::test {

namespace {

constexpr int kSteps = 12, kSheetsEvery = 6;
constexpr const char* kState = "state.safetensors";

Options run_options(const char* preset_name = "classic") {
  Options options = small_options(preset_name);
  options.device = "cuda";
  options.train.steps = kSteps;
  options.schedule = {"stream", "graph", 2};
  options.output.checkpoint_every = 2;
  options.output.keep_last = 0;
  options.output.samples_every = kSheetsEvery;
  options.output.sample_rows = 9;
  options.output.sample_columns = 8;  // more pictures than a batch of the sampler
  return options;
}

std::string png_of(Context& context, Trainer& trainer, const Options& options, Parameters::Block block) {
  const int rows = options.output.sample_rows, columns = options.output.sample_columns;
  Sampler sampler(context, trainer.sampling(), block, options.seed);
  const std::vector<float> pictures = sampler.draw(context, 0, rows * columns);
  const std::vector<std::uint8_t> png = encode_png(sample_grid(pictures, rows * columns, 8, 6, 1, rows, columns));
  return {png.begin(), png.end()};
}

class Checkpointing : public testing::Test {
protected:
  void SetUp() override { backends().front().open(0); }  // the order of execution
  void TearDown() override { emulator::runtime() = {}; }

  // The files of a training that stands still behind every step: each checkpoint's state, and the sheets.
  static std::map<std::string, std::string> files_at_rest(Options options) {
    emulator::runtime() = {};
    options.schedule = {"device", "eager", 1};
    const Data dataset = small_dataset(options);
    Context context = make_context(options);
    Trainer trainer(context, options, dataset);
    std::map<std::string, std::string> files;
    for (int step = 0; step <= kSteps; ++step) {
      trainer.run_to(step);
      trainer.drain();
      const TemporaryFolder folder;
      trainer.save(folder.path());
      files[step_name(step)] = read_file(folder / kState);
      if (step % kSheetsEvery == 0) {
        files[step_name(step) + ".png"] = png_of(context, trainer, options, Parameters::Block::average);
        files[step_name(step) + "_raw.png"] = png_of(context, trainer, options, Parameters::Block::master);
      }
    }
    return files;
  }
  static std::string step_name(std::int64_t step) { return fmt::format("step_{:09}", step); }

  // Every checkpoint and sheet that a run has left; says which are not those of the training that stands still.
  static std::string differences(const std::filesystem::path& run, const std::map<std::string, std::string>& at_rest) {
    std::string text;
    for (const std::string& name : names_in(run / "checkpoints")) {
      if (name != "latest" && read_file(run / "checkpoints" / name / kState) != at_rest.at(name)) {
        text += name + " ";
      }
    }
    for (const std::string& name : names_in(run / "samples")) {
      text += read_file(run / "samples" / name) != at_rest.at(name) ? name + " " : "";
    }
    return text;
  }
};

TEST_F(Checkpointing, TheSameBytesAsOfATrainingThatStandsStill) {
  const auto expect_same = [](Options options, const char* launch, std::initializer_list<std::uint64_t> seeds) {
    const auto at_rest = files_at_rest(options);
    options.schedule.launch = launch;
    for (const std::uint64_t seed : seeds) {
      emulator::runtime().late_seed = seed;
      const TemporaryFolder folder;
      ASSERT_EQ(run_training({options, (folder / "run").string(), false}).exit_code, 0);
      EXPECT_EQ(differences(folder / "run", at_rest), "") << launch << " " << seed;
      EXPECT_EQ(names_in(folder / "run/checkpoints").size(), 1U + 6U);
      EXPECT_EQ(names_in(folder / "run/samples").size(), 2U * 3U);
      EXPECT_EQ(read_file(folder / "run/log.txt").find(kNoSnapshotRoom), std::string::npos);
    }
  };
  expect_same(run_options("classic"), "eager", {0, 1, 2});
  expect_same(run_options("classic"), "graph", {0, 1, 2});
  Options rounded = run_options("steady");
  rounded.precision = "bf16";
  expect_same(rounded, "graph", {3});
}

// What a run says of its held-out rows at a step, by metrics.jsonl.
std::map<std::int64_t, double> measured(const std::filesystem::path& run) {
  std::map<std::int64_t, double> found;
  std::istringstream lines(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.contains("held_out_accuracy")) {
      found[row["step"].get<std::int64_t>()] = row["held_out_accuracy"].get<double>();
    }
  }
  return found;
}

// With the weights of exactly that step, which the checkpoint of it holds, and without a trace in the next one's.
TEST_F(Checkpointing, HeldOutRowsAreMeasuredBetweenTwoSteps) {
  Options options = run_options("classify");
  options.model.filters = 4;
  options.data.synthetic_count = 320;
  options.train.evaluate_every = 4;
  options.output.checkpoint_every = 4;
  Options without = options;
  without.train.evaluate_every = 0;
  emulator::runtime().late_seed = 1;
  const TemporaryFolder folder;
  const std::filesystem::path plain = folder / "plain", run = folder / "run";
  ASSERT_EQ(run_training({without, plain.string(), false}).exit_code, 0);
  emulator::runtime().late_seed = 2;
  ASSERT_EQ(run_training({options, run.string(), false}).exit_code, 0);
  const std::map<std::int64_t, double> found = measured(run);
  ASSERT_EQ(found.size(), 3U);
  for (const auto& [step, accuracy] : found) {
    const std::string state = "checkpoints/" + step_name(step) + "/" + kState;
    EXPECT_EQ(read_file(run / state), read_file(plain / state)) << step;
    ClassifyRequest request;
    request.run = run.string();
    request.held_out = true;
    request.step = step;
    request.where = device_request(options);
    EXPECT_EQ(classify(request).judged->confusion->accuracy(), accuracy) << step;
  }
  EXPECT_EQ(measured(plain).size(), 1U);
}

TEST_F(Checkpointing, WithoutRoomForACopyTheStepsWaitWhichIsSaidOnce) {
  const Options options = run_options();
  const auto at_rest = files_at_rest(options);
  for (const std::uint64_t seed : {1, 2, 3}) {
    emulator::runtime().late_seed = seed;
    emulator::runtime().memory_bytes = std::size_t{56} << 20;
    const TemporaryFolder folder;
    ASSERT_EQ(run_training({options, (folder / "run").string(), false}).exit_code, 0);
    EXPECT_EQ(differences(folder / "run", at_rest), "") << seed;
    const std::string log = read_file(folder / "run/log.txt");
    const std::size_t said = log.find(kNoSnapshotRoom);
    ASSERT_NE(said, std::string::npos) << log;
    EXPECT_EQ(log.find(kNoSnapshotRoom, said + 1), std::string::npos) << log;
  }
}

TEST_F(Checkpointing, ADeviceLostDuringADownloadIsAnErrorAndLeavesWhatWasPublished) {
  const Options options = run_options();
  const auto at_rest = files_at_rest(options);
  const TemporaryFolder folder;
  int published = 0;
  emulator::runtime().late_seed = 5;
  ASSERT_EQ(run_training({options, (folder / "whole").string(), false}).exit_code, 0);
  const int calls = emulator::runtime().calls;
  constexpr int kParts = 24;
  for (int part = 1; part < kParts; ++part) {
    const std::filesystem::path run = folder / fmt::format("run{}", part);
    emulator::runtime() = {};
    emulator::runtime().late_seed = static_cast<std::uint64_t>(part);
    emulator::runtime().calls_until_lost = calls * part / kParts;
    try {
      run_training({options, run.string(), false});
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), 4) << error.what();
    }
    if (std::filesystem::exists(run / "config.toml")) {
      EXPECT_EQ(differences(run, at_rest), "") << part;
      published += RunDirectory::open_for_reading(run).latest_checkpoint() ? 1 : 0;
    }
  }
  EXPECT_GT(published, 5);

  emulator::runtime() = {};
  emulator::runtime().late_seed = 1;
  const Data dataset = small_dataset(options);
  Context context = make_context(options);
  Trainer trainer(context, options, dataset);
  ASSERT_EQ(trainer.reserve_snapshot(), Trainer::SnapshotRoom::reserved);
  trainer.run_to(4);
  trainer.snapshot().begin();
  emulator::runtime().calls_until_lost = 1;
  EXPECT_ERROR(trainer.snapshot().wait(), Error::Kind::device, "cudaErrorLaunchFailure");
}

// The signal comes with a launch, so that a checkpoint or a sheet is on its way more often than not.
TEST_F(Checkpointing, AnInterruptedRunWritesWhatIsOnItsWayAndItsLastState) {
  Options options = run_options();
  options.schedule.steps_per_launch = 1;
  const auto at_rest = files_at_rest(options);
  for (int launch = 3; launch <= 15; ++launch) {
    emulator::runtime() = {};
    emulator::runtime().late_seed = static_cast<std::uint64_t>(launch);
    emulator::runtime().interrupted_launch = launch;
    const TemporaryFolder folder;
    const std::string run = (folder / "run").string();
    ASSERT_EQ(run_training({options, run, false}).exit_code, kInterruptedExitCode) << launch;
    EXPECT_EQ(differences(run, at_rest), "") << launch;
    const RunDirectory left = RunDirectory::open_for_reading(run);
    const std::int64_t last = left.require_latest_checkpoint();
    EXPECT_LT(last, kSteps);
    for (std::int64_t step = 2; step < last; step += 2) {
      EXPECT_TRUE(std::filesystem::exists(left.checkpoint_path(step))) << step;
    }
    emulator::runtime() = {};
    ASSERT_EQ(run_training({options, run, true}).exit_code, 0);
    EXPECT_EQ(differences(run, at_rest), "") << launch;
    EXPECT_EQ(left.latest_checkpoint(), kSteps);
  }
}

// Writes a NaN into a tensor of a checkpoint, as if training had diverged there.
void spoil(const std::filesystem::path& file, const std::string& tensor) {
  TensorFile contents(file);
  contents.tensors.at(tensor).set(0, std::numeric_limits<float>::quiet_NaN());
  contents.write(file);
}

TEST_F(Checkpointing, NothingBehindALossThatIsNotFiniteIsPublished) {
  // A weight shows in the losses of step 5 itself; a moment of the generator is in its weights behind step 5, whose
  // losses are good, and shows in step 6.
  for (const auto& [tensor, last_good] :
       {std::pair("discriminator/dense2/bias", 4), {"adam_m/generator/dense3/bias", 5}}) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      Options options = run_options();
      options.output.checkpoint_every = 1;
      options.schedule.steps_per_launch = static_cast<int>(1 + seed % 3);
      options.train.steps = 4;
      const TemporaryFolder folder;
      const std::string run = (folder / "run").string();
      ASSERT_EQ(run_training({options, run, false}).exit_code, 0);
      const RunDirectory left = RunDirectory::open_for_reading(run);
      spoil(left.checkpoint_path(4) / kState, tensor);
      options.train.steps = kSteps;
      emulator::runtime().late_seed = seed;
      EXPECT_ERROR(run_training({options, run, true}), Error::Kind::non_finite,
                   fmt::format("at step {}; the checkpoint of step {} is intact", last_good + 1, last_good));
      emulator::runtime() = {};
      EXPECT_EQ(left.latest_checkpoint(), last_good);
      EXPECT_EQ(left.checkpoints().back(), last_good);
    }
  }
}

TEST_F(Checkpointing, ADryRunCountsTheCopyAndSaysWhereThereIsNoRoom) {
  Options options = run_options();
  const auto plan = [&] { return plan_run({.options = options, .folder = ""}); };
  EXPECT_GT(plan().memory.snapshot, 0U);
  emulator::runtime().memory_bytes = std::size_t{56} << 20;
  EXPECT_EQ(plan().memory.snapshot, 0U);
  EXPECT_TRUE(plan().lacks_snapshot_room);
  options.output.checkpoint_every = 0;
  EXPECT_FALSE(plan().lacks_snapshot_room);
  emulator::runtime().memory_bytes = std::size_t{54} << 20;
  options.data.synthetic_count = options.train.batch = 4000;
  EXPECT_ERROR(plan(), Error::Kind::device, "would fit");
}

}  // namespace

}  // namespace duel::test
