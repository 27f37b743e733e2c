// `duel train`: what a run leaves, what is refused before it begins, and dry runs.
#include "tests/support/idx_bytes.h"
#include "tests/support/paths.h"
#include "tests/support/trajectory_file.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace duel::test {
namespace {

// Makes the first element of a checkpoint's tensor infinite, with a right checksum: as if training had diverged.
void poison(const std::filesystem::path& path, const std::string& name) {
  TensorFile file(path);
  file.tensors.at(name).set(0, std::numeric_limits<float>::infinity());
  file.write(path);
}

TEST_F(Command, TrainsFillsTheRunDirectoryAndGenerates) {
  const Outcome outcome = duel(
      "train --out run --steps 12 --set output.samples_every=6 --set output.metrics_every=4 "
      "--set output.log_every=5 --set output.checkpoint_every=5 --set output.keep_last=2 " +
      kSmall);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("step 10/12"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("done at step 12"), std::string::npos) << outcome.output;
  EXPECT_EQ(names_in(folder_ / "run/checkpoints"),
            (std::vector<std::string>{"latest", "step_000000010", "step_000000012"}));
  EXPECT_EQ(names_in(folder_ / "run/samples"),
            (std::vector<std::string>{"step_000000000.png", "step_000000000_raw.png", "step_000000006.png",
                                      "step_000000006_raw.png", "step_000000012.png", "step_000000012_raw.png"}));
  const std::string metrics = read_file(folder_ / "run/metrics.jsonl");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 3);
  const nlohmann::json row = nlohmann::json::parse(metrics.substr(0, metrics.find('\n')));
  for (const char* name :
       {"step", "epoch", "seconds", "d_loss", "g_loss", "d_pairs_right", "d_grad_norm", "g_grad_norm", "r1", "r2"}) {
    EXPECT_TRUE(row.contains(name)) << name;
  }
  EXPECT_EQ(row["step"], 4);

  ASSERT_EQ(duel("generate --run run --count 3 --out a --seed 7").exit_code, 0);
  ASSERT_EQ(duel("generate --run run --count 70 --out b --seed 7").exit_code, 0);
  ASSERT_EQ(duel("generate --run run --count 3 --out c --seed 8").exit_code, 0);
  EXPECT_EQ(names_in(folder_ / "a").size(), 3U);
  EXPECT_EQ(names_in(folder_ / "b").size(), 70U);
  EXPECT_EQ(read_file(folder_ / "a/0000002.png"), read_file(folder_ / "b/0000002.png"));
  EXPECT_NE(read_file(folder_ / "a/0000002.png"), read_file(folder_ / "c/0000002.png"));
  EXPECT_EQ(duel("generate --run run --grid 3x5 --out sheet.png").exit_code, 0);
  EXPECT_GT(std::filesystem::file_size(folder_ / "sheet.png"), 100U);
  expect_outcome(duel("generate --run run --grid 3by5 --out sheet.png"), 2, "--grid 3by5");
  expect_outcome(duel("generate --run run --out x"), 2, "give --count, --seeds, --interpolate, --latents or --grid");
  expect_outcome(duel("generate --run run --count 1 --step 3 --out x"), 3, "no checkpoint of step 3");
  expect_outcome(duel("generate --run nowhere --count 1 --out x"), 3, "nowhere");
}

TEST_F(Command, ADryRunTellsWhatTheRunWouldBe) {
  const Outcome dry = duel("train --dry-run --steps 100 " + kSmall);
  EXPECT_EQ(dry.exit_code, 0) << dry.output;
  for (const char* part : {"generator: ", "discriminator: ", "memory on cpu", "ms a step", "100 steps take"}) {
    EXPECT_NE(dry.output.find(part), std::string::npos) << part << "\n" << dry.output;
  }
  const nlohmann::json plan =
      nlohmann::json::parse(duel("train --dry-run --json --out x --steps 100 " + kSmall).output);
  EXPECT_EQ(plan["steps"], 100);
  EXPECT_EQ(plan["picture"], nlohmann::json({10, 8, 1}));
  EXPECT_EQ(plan["networks"][0]["name"], "generator");
  EXPECT_EQ(plan["networks"][0]["parameters"][0]["shape"], nlohmann::json({64, 16}));
  EXPECT_GT(plan["memory_bytes"]["total"], plan["memory_bytes"]["parameters"]);
  EXPECT_GT(plan["disk_bytes"]["most"], plan["disk_bytes"]["checkpoint"]);
  EXPECT_GT(plan["ms_a_step"], 0.0);
  expect_outcome(duel("train --json --out x " + kSmall), 2, "--dry-run");
}

TEST_F(Command, ADryRunChecksWhatARunNeedsAndLeavesNothing) {
  expect_outcome(duel("train --dry-run --out runs/a --steps 9 " + kSmall), 0, "MiB are free");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
  const std::string tall = "--set output.sample_rows=64 --set data.synthetic_height=1024 ";
  expect_outcome(duel("train --dry-run " + kSmall + tall), 2, "sample sheet: 64 rows");
  expect_outcome(duel("train --out a " + kSmall + tall), 2, "sample sheet: 64 rows");
  expect_outcome(duel("train --dry-run --out /proc/a/b " + kSmall), 3, "no run can be written there");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
  ASSERT_EQ(duel("train --out a --steps 2 " + kSmall).exit_code, 0);
  expect_outcome(duel("train --dry-run --out a " + kSmall), 2, "holds a run already");
  expect_outcome(duel("train --dry-run --out a --resume --steps 4"), 0, "changed: train.steps 2 -> 4");
  EXPECT_NE(read_file(folder_ / "a/config.toml").find("steps = 2"), std::string::npos);
}

TEST_F(Command, ANonFiniteLossExits5AndKeepsTheLastCheckpoint) {
  ASSERT_EQ(train("--steps 5").exit_code, 0);
  const auto path = folder_ / "run/checkpoints/step_000000005/state.safetensors";
  poison(path, "discriminator/dense2/bias");
  const std::string before = read_file(path);
  expect_outcome(duel("train --out run --resume --steps 30"), 5, "at step 6; the checkpoint of step 5 is intact");
  EXPECT_EQ(read_file(path), before);
  EXPECT_EQ(read_file(folder_ / "run/checkpoints/latest").substr(0, 14), "step_000000005");
}

TEST_F(Command, BadDataExits3AndMakesNoFolder) {
  std::filesystem::create_directory(folder_ / "empty");
  expect_outcome(duel("train --out r --data missing"), 3, "missing");
  expect_outcome(duel("train --out r --data empty"), 3, "empty");
  expect_outcome(duel("train --out r " + kSmall + "--batch 65"), 2, "--batch 65 is more than");
  expect_outcome(duel("train --out r --resume"), 3, "r");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "r"));
}

TEST_F(Command, AnotherDeviceExits4) {
  // More than any machine has, so that the test does the same with and without a GPU.
  expect_outcome(duel("train --out r --device cuda:99 " + kSmall), 4, "cuda:");
  expect_outcome(duel("train --out r --device cpu --precision tf32 " + kSmall), 4, "TF32");
  expect_outcome(duel("train --out r --device gpu " + kSmall), 2, "auto, cpu, cuda or cuda:N");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "r"));
}

TEST_F(Command, NetworksThatAreTooLargeAreAFaultOfTheConfiguration) {
  for (const char* settings :
       {"model.generator_widths=[65536,65536]", "model.discriminator_widths=[65536,65536]",
        "model.discriminator_channels=[65536,65536]",
        "model.discriminator_channels=[65536] --set data.synthetic_height=1024 --set data.synthetic_width=1024"}) {
    for (const char* verb : {"train --dry-run ", "roofline --ceilings h100 "}) {
      expect_outcome(duel(verb + kSmall + "--set " + settings), 2, "are needed");
    }
  }
}

TEST_F(Command, APresetOfOnesOwn) {
  write_file(folder_ / "mine.toml", "# Mine.\npreset = 'classic'\n[optimizer]\nbeta1 = 0.25\n");
  ASSERT_EQ(train("--steps 1 --preset mine.toml").exit_code, 0);
  const std::string config = read_file(folder_ / "run/config.toml");
  EXPECT_NE(config.find("preset = \"classic\""), std::string::npos);
  EXPECT_NE(config.find("beta1 = 0.25"), std::string::npos);
}

TEST_F(Command, StreamedPicturesAndEagerLaunchesGiveTheSameBytes) {
  const std::string state = "checkpoints/step_000000011/state.safetensors";
  ASSERT_EQ(duel("train --out resident --steps 11 --residency device " + kSmall).exit_code, 0);
  const Outcome streamed =
      duel("train --out streamed --steps 11 --residency stream --steps-per-launch 3 --no-graph " + kSmall);
  EXPECT_EQ(streamed.exit_code, 0) << streamed.output;
  EXPECT_NE(streamed.output.find("64 pictures of 10x8x1, streamed, preset conv-steady"), std::string::npos)
      << streamed.output;
  EXPECT_EQ(read_file(folder_ / "resident" / state), read_file(folder_ / "streamed" / state));
  expect_outcome(duel("train --out x --residency disk " + kSmall), 2, "auto, device or stream");
  expect_outcome(duel("train --out x --steps-per-launch 17 " + kSmall), 2, "an integer from 0 to 16");
}

TEST_F(Command, TheConfigurationSaysWhatWasResolvedAndIsReadFromElsewhere) {
  std::filesystem::create_directories(folder_ / "data");
  write_bytes(folder_ / "data/train-images-idx3-ubyte", idx_bytes({64, 10, 8}));
  std::filesystem::create_directory(folder_ / "elsewhere");
  ASSERT_EQ(duel("train --out run --steps 2 " + kSmall + "--data data").exit_code, 0);
  const std::string config = read_file(folder_ / "run/config.toml");
  for (const char* part :
       {"#   device                 cpu (2 threads)", "#   CPU threads            2\n", "#   kernels "}) {
    EXPECT_NE(config.find(part), std::string::npos) << part << "\n" << config;
  }
  const Outcome resumed =
      duel(fmt::format("--version && cd elsewhere && '{}' train --resume --steps 4 --out ../run", command_path()));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("done at step 4"), std::string::npos) << resumed.output;
}

TEST_F(Command, AnOccupiedFolderIsRefusedAndLeftAsItWas) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  const auto before = names_in(folder_ / "run");
  expect_outcome(train("--steps 2"), 2, "--resume");
  EXPECT_EQ(names_in(folder_ / "run"), before);
}

TEST_F(Command, ALostReaderDoesNotEndATraining) {
  const Outcome outcome = duel("train --out run --steps 40 --set output.log_every=1 " + kSmall + " | head -n 1");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_NE(read_file(folder_ / "run/log.txt").find("done at step 40"), std::string::npos);
  EXPECT_EQ(duel("train --out full --steps 4 " + kSmall + " > /dev/full").exit_code, 0);
}

}  // namespace
}  // namespace duel::test
