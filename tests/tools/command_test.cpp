// The command line as a process: what it prints, its exit codes, and that nothing is lost.
#include "host/files/safetensors.h"
#include "tests/support/idx_bytes.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trajectory_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>
#include <thread>

namespace duel::test {
namespace {

struct Outcome {
  int exit_code = -1;
  std::string output;  // of both streams
};

// Runs `duel ARGUMENTS` in `folder` through the shell. What the user's own programs remember is none of its business.
Outcome duel(const TemporaryFolder& folder, const std::string& arguments) {
  const std::string command = fmt::format("cd '{0}' && XDG_CACHE_HOME='{0}/cache' '" DUEL_COMMAND "' {1} 2>&1",
                                          folder.path().string(), arguments);
  Outcome outcome;
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.output.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

const std::string kSmall =
    "--data synthetic --threads 2 --batch 8 --set data.synthetic_count=64 --set data.synthetic_height=10 "
    "--set data.synthetic_width=8 --set model.generator_widths=[16] --set model.discriminator_channels=[4] "
    "--set model.discriminator_widths=[8] ";

void expect_failure(const Outcome& outcome, int exit_code, const std::string& part) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.output;
  EXPECT_NE(outcome.output.find(part), std::string::npos) << outcome.output;
}

// Makes the first element of a checkpoint's tensor infinite, with a right checksum: as if training had diverged.
void poison(const std::filesystem::path& path, const std::string& name) {
  TensorFile file(path);
  file.tensors.at(name).set(0, std::numeric_limits<float>::infinity());
  file.write(path);
}

TEST(Command, TrainsFillsTheRunDirectoryAndGenerates) {
  const TemporaryFolder folder;
  const Outcome outcome = duel(folder,
                               "train --out run --steps 12 --set output.samples_every=6 --set output.metrics_every=4 "
                               "--set output.log_every=5 --set output.checkpoint_every=5 --set output.keep_last=2 " +
                                   kSmall);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("step 10/12"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("done at step 12"), std::string::npos) << outcome.output;
  EXPECT_EQ(names_in(folder / "run/checkpoints"),
            (std::vector<std::string>{"latest", "step_000000010", "step_000000012"}));
  EXPECT_EQ(names_in(folder / "run/samples"),
            (std::vector<std::string>{"step_000000000.png", "step_000000000_raw.png", "step_000000006.png",
                                      "step_000000006_raw.png", "step_000000012.png", "step_000000012_raw.png"}));
  const std::string metrics = read_file(folder / "run/metrics.jsonl");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 3);
  const nlohmann::json row = nlohmann::json::parse(metrics.substr(0, metrics.find('\n')));
  for (const char* name : {"step", "epoch", "seconds", "d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake",
                           "d_grad_norm", "g_grad_norm", "r1", "r2"}) {
    EXPECT_TRUE(row.contains(name)) << name;
  }
  EXPECT_EQ(row["step"], 4);

  ASSERT_EQ(duel(folder, "generate --run run --count 3 --out a --seed 7").exit_code, 0);
  ASSERT_EQ(duel(folder, "generate --run run --count 70 --out b --seed 7").exit_code, 0);
  ASSERT_EQ(duel(folder, "generate --run run --count 3 --out c --seed 8").exit_code, 0);
  EXPECT_EQ(names_in(folder / "a").size(), 3U);
  EXPECT_EQ(names_in(folder / "b").size(), 70U);
  EXPECT_EQ(read_file(folder / "a/0000002.png"), read_file(folder / "b/0000002.png"));
  EXPECT_NE(read_file(folder / "a/0000002.png"), read_file(folder / "c/0000002.png"));
  EXPECT_EQ(duel(folder, "generate --run run --grid 3x5 --out sheet.png").exit_code, 0);
  EXPECT_GT(std::filesystem::file_size(folder / "sheet.png"), 100U);
  expect_failure(duel(folder, "generate --run run --grid 3by5 --out sheet.png"), 2, "--grid 3by5");
  expect_failure(duel(folder, "generate --run run --out x"), 2, "give --count, --seeds, --interpolate or --grid");
  expect_failure(duel(folder, "generate --run run --count 1 --step 3 --out x"), 3, "no checkpoint of step 3");
  expect_failure(duel(folder, "generate --run nowhere --count 1 --out x"), 3, "nowhere");
}

TEST(Command, ResumeGivesTheSameBytes) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out whole --steps 20 " + kSmall).exit_code, 0);
  ASSERT_EQ(duel(folder, "train --out parts --steps 10 " + kSmall).exit_code, 0);
  const Outcome resumed = duel(folder, "train --out parts --resume --steps 20");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("resumed at step 10"), std::string::npos);
  for (const char* name : {"checkpoints/step_000000020/state.safetensors", "checkpoints/step_000000020/state.json",
                           "samples/step_000000020.png"}) {
    EXPECT_EQ(read_file(folder / (std::string("whole/") + name)), read_file(folder / (std::string("parts/") + name)))
        << name;
  }
}

// A training that goes on until it is told to stop, once its first row is there.
struct Endless {
  explicit Endless(const TemporaryFolder& folder) : run(folder / "run"), log(folder / "log") {
    child = ::fork();
    if (child == 0) {
      const int descriptor = ::open(log.c_str(), O_CREAT | O_WRONLY, 0600);
      ::dup2(descriptor, 1);
      ::dup2(descriptor, 2);
      ::execl(DUEL_COMMAND, "duel", "train", "--data", "synthetic", "--out", run.c_str(), "--steps", "1000000",
              "--batch", "8", "--set", "model.generator_widths=[16]", "--set", "model.discriminator_channels=[4]",
              "--set", "data.synthetic_count=64", "--set", "output.metrics_every=1", "--set", "output.log_every=1",
              "--set", "output.samples_every=100", "--set", "output.checkpoint_every=100", static_cast<char*>(nullptr));
      ::_exit(99);
    }
    wait_until([&] { return !read_file(run / "metrics.jsonl").empty(); });
  }

  template <class Condition>
  static void wait_until(const Condition& is_so) {
    for (int i = 0; i < 600 && !is_so(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  int end(std::initializer_list<int> signals) const {
    for (const int number : signals) {
      ::kill(child, number);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::filesystem::path run, log;
  pid_t child = 0;
};

TEST(Command, SignalsWriteACheckpointAndExit130) {
  for (const auto& [first, second] : {std::pair{SIGTERM, SIGTERM}, {SIGHUP, SIGINT}}) {
    const TemporaryFolder folder;
    const Endless training(folder);
    EXPECT_EQ(training.end({first, second}), 130) << read_file(training.log);
    const std::string name = first == SIGHUP ? "SIGHUP" : "SIGTERM";
    for (const auto& path : {training.log, training.run / "log.txt"}) {
      EXPECT_NE(read_file(path).find("interrupted by " + name + " at step "), std::string::npos);
    }
    const std::string latest = read_file(training.run / "checkpoints/latest");
    EXPECT_TRUE(std::filesystem::exists(training.run / "checkpoints" / latest.substr(0, latest.size() - 1)));
  }
}

TEST(Command, WhatVanishesWhileItTrainsIsMadeAgain) {
  const TemporaryFolder folder;
  const Endless training(folder);
  for (const auto& entry : std::filesystem::directory_iterator(training.run)) {
    std::filesystem::remove_all(entry);
  }
  Endless::wait_until([&] {
    return std::filesystem::exists(training.run / "samples") && !names_in(training.run / "samples").empty() &&
           std::filesystem::exists(training.run / "checkpoints/latest");
  });
  EXPECT_EQ(training.end({SIGUSR1}), 130) << read_file(training.log);
  const std::string said = read_file(training.log);
  for (const char* name : {"samples", "checkpoints", "config.toml", "metrics.jsonl"}) {
    EXPECT_NE(said.find(fmt::format("{}: had vanished", name)), std::string::npos) << name << "\n" << said;
  }
  EXPECT_NE(read_file(training.run / "log.txt").find("interrupted by SIGUSR1"), std::string::npos);
  EXPECT_EQ(read_file(training.run / "metrics.jsonl").substr(0, 9), "{\"step\":1") << "no row is lost";
  EXPECT_EQ(duel(folder, "train --out run --resume --steps 1").exit_code, 0);
}

TEST(Command, ALostReaderDoesNotEndATraining) {
  const TemporaryFolder folder;
  const Outcome outcome =
      duel(folder, "train --out run --steps 40 --set output.log_every=1 " + kSmall + " | head -n 1");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_NE(read_file(folder / "run/log.txt").find("done at step 40"), std::string::npos);
  EXPECT_EQ(duel(folder, "train --out full --steps 4 " + kSmall + " > /dev/full").exit_code, 0);
}

TEST(Command, ResumeBeginsWhereThereIsNoCheckpointAndAutoWhereThereIsNoRun) {
  const TemporaryFolder folder;
  const std::string job = "train --out run --preset classic --steps 4 --resume=auto " + kSmall;
  expect_failure(duel(folder, job), 0, "new to step 4");
  expect_failure(duel(folder, job), 0, "nothing is to do: the checkpoint is of step 4, and the run ends at step 4");
  const auto before = names_in(folder / "run");
  const std::string config = read_file(folder / "run/config.toml");
  expect_failure(duel(folder, "train --out run --resume --steps 2"), 0, "nothing is to do");
  EXPECT_EQ(read_file(folder / "run/config.toml"), config);
  EXPECT_EQ(names_in(folder / "run"), before);
  const std::string whole = read_file(folder / "run/checkpoints/step_000000004/state.safetensors");
  for (const char* name : {"checkpoints", "samples", "metrics.jsonl", ".lock"}) {
    std::filesystem::remove_all(folder / "run" / name);  // what a run has that was killed before its first step
  }
  expect_failure(duel(folder, "train --out run --resume"), 0, "resumed at step 0 because there is no checkpoint yet");
  EXPECT_EQ(read_file(folder / "run/checkpoints/step_000000004/state.safetensors"), whole);
  expect_failure(duel(folder, "train --out absent --resume"), 3, "no such run directory");
  expect_failure(duel(folder, "train --out run --resume=always"), 2, "--resume=auto");
}

TEST(Command, ChangesOfAResumeAreSaidOrRefused) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out run --steps 2 " + kSmall).exit_code, 0);
  ASSERT_EQ(duel(folder, "generate --run run --step 2 --count 1 --out a").exit_code, 0);
  expect_failure(duel(folder, "train --out run --resume --steps 4 --set model.generator_activation=tanh"), 2,
                 "model.generator_activation \"relu\" -> \"tanh\"");
  const Outcome resumed = duel(folder, "train --out run --resume --steps 4 --set loss.r1=0.25");
  expect_failure(resumed, 0, "changed: loss.r1 0.5 -> 0.25, train.steps 2 -> 4");
  EXPECT_NE(read_file(folder / "run/log.txt").find("changed: loss.r1 0.5 -> 0.25"), std::string::npos);
  EXPECT_NE(read_file(folder / "run/checkpoints/step_000000002/config.toml").find("r1 = 0.5"), std::string::npos);
  // A person may even edit the run's own file: each checkpoint knows better.
  std::string config = read_file(folder / "run/config.toml");
  config.replace(config.find("generator_activation = \"relu\""), 29, "generator_activation = \"tanh\"");
  write_file(folder / "run/config.toml", config);
  expect_failure(duel(folder, "train --out run --resume --steps 6"), 2, "\"relu\" -> \"tanh\"");
  ASSERT_EQ(duel(folder, "generate --run run --step 2 --count 1 --out b").exit_code, 0);
  EXPECT_EQ(read_file(folder / "a/0000000.png"), read_file(folder / "b/0000000.png"));
}

TEST(Command, FromBeginsWithTheWeightsOfAnotherRun) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out old --steps 6 " + kSmall).exit_code, 0);
  expect_failure(duel(folder, "train --out new --from old --steps 3 --seed 5 --set data.synthetic_count=80"), 0,
                 "new with the weights of old at step 6");
  TensorFile old_state(folder / "old/checkpoints/step_000000006/state.safetensors");
  TensorFile first(folder / "new/checkpoints/step_000000000/state.safetensors");
  const std::string weight = "generator/dense1/weight";
  EXPECT_EQ(first.tensors.at(weight).get(3), old_state.tensors.at(weight).get(3));
  EXPECT_EQ(first.tensors.at("average/" + weight).get(3), old_state.tensors.at(weight).get(3));
  EXPECT_EQ(first.tensors.at("adam_v/" + weight).get(3), 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "new/checkpoints/step_000000003"));
  expect_failure(duel(folder, "train --out x --from old --set data.synthetic_width=9"), 2, "10x8x1, but synthetic has");
  expect_failure(duel(folder, "train --out x --from old --set model.latent=9"), 2, "model.latent 100 -> 9");
  expect_failure(duel(folder, "train --out x --from old --step 5"), 3, "there are those of 6");
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
}

TEST(Command, ADamagedCheckpointNamesAnEarlierOne) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out run --steps 6 --set output.checkpoint_every=2 " + kSmall).exit_code, 0);
  const std::string whole = read_file(folder / "run/checkpoints/step_000000006/state.safetensors");
  const auto damage = [&](const std::string& step, const std::string& file) {
    const auto path = folder / ("run/checkpoints/" + step) / file;
    std::string text = read_file(path);
    char& letter = text[text.size() / 2];
    letter = static_cast<char>(letter ^ 1);
    write_file(path, text);
  };
  const auto json_path = folder / "run/checkpoints/step_000000006/state.json";
  const std::string json = read_file(json_path);
  std::string wrong = json;
  wrong.replace(wrong.find("\"step\": 6"), 9, "\"step\": 5");
  write_file(json_path, wrong);
  expect_failure(duel(folder, "train --out run --resume --steps 8"), 3,
                 "state.json says step 5, but the folder's name says step 6 and state.safetensors says step 6, so "
                 "state.json is wrong; the checkpoint of step 4 is whole: --resume --step 4");
  expect_failure(duel(folder, "generate --run run --count 1 --out x"), 3,
                 "state.json is wrong; the checkpoint of step 4 is whole: --step 4 takes it");
  write_file(json_path, json);
  damage("step_000000006", "state.safetensors");
  damage("step_000000004", "state.safetensors");
  expect_failure(duel(folder, "train --out run --resume --steps 8"), 3,
                 "the checkpoint of step 2 is whole: --resume --step 2 continues there");
  EXPECT_NE(read_file(folder / "run/log.txt").find("ended by an error: "), std::string::npos);
  expect_failure(duel(folder, "train --out run --resume --step 2"), 0, "resumed at step 2");
  EXPECT_EQ(read_file(folder / "run/checkpoints/step_000000006/state.safetensors"), whole);
}

TEST(Command, ADryRunChecksWhatARunNeedsAndLeavesNothing) {
  const TemporaryFolder folder;
  expect_failure(duel(folder, "train --dry-run --out runs/a --steps 9 " + kSmall), 0, "MiB are free");
  EXPECT_FALSE(std::filesystem::exists(folder / "runs"));
  const std::string tall = "--set output.sample_rows=64 --set data.synthetic_height=1024 ";
  expect_failure(duel(folder, "train --dry-run " + kSmall + tall), 2, "sample sheet: 64 rows");
  expect_failure(duel(folder, "train --out a " + kSmall + tall), 2, "sample sheet: 64 rows");
  expect_failure(duel(folder, "train --dry-run --out /proc/a/b " + kSmall), 3, "no run can be written there");
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  ASSERT_EQ(duel(folder, "train --out a --steps 2 " + kSmall).exit_code, 0);
  expect_failure(duel(folder, "train --dry-run --out a " + kSmall), 2, "holds a run already");
  expect_failure(duel(folder, "train --dry-run --out a --resume --steps 4"), 0, "changed: train.steps 2 -> 4");
  EXPECT_NE(read_file(folder / "a/config.toml").find("steps = 2"), std::string::npos);
}

TEST(Command, ANonFiniteLossExits5AndKeepsTheLastCheckpoint) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out run --steps 5 " + kSmall).exit_code, 0);
  const auto path = folder / "run/checkpoints/step_000000005/state.safetensors";
  poison(path, "discriminator/dense2/bias");
  const std::string before = read_file(path);
  expect_failure(duel(folder, "train --out run --resume --steps 30"), 5,
                 "at step 6; the checkpoint of step 5 is intact");
  EXPECT_EQ(read_file(path), before);
  EXPECT_EQ(read_file(folder / "run/checkpoints/latest").substr(0, 14), "step_000000005");
}

TEST(Command, BadUsageExits2WithOneSentence) {
  const TemporaryFolder folder;
  expect_failure(duel(folder, ""), 2, "no verb was given");
  expect_failure(duel(folder, "trian"), 2, "trian");
  expect_failure(duel(folder, "train --data synthetic"), 2, "--out FOLDER is missing");
  expect_failure(duel(folder, "train --out r --preset clasic"), 2, "clasic");
  expect_failure(duel(folder, "train --out r --set train.bach=3"), 2, "did you mean train.batch");
  expect_failure(duel(folder, "train --out r --batch 0"), 2, "--batch 0: must be an integer from 1 to 65536");
  expect_failure(duel(folder, "train --out r --config none.toml"), 2, "none.toml");
  expect_failure(duel(folder, "train --out r --resume --preset classic"), 2, "--resume");
  EXPECT_FALSE(std::filesystem::exists(folder / "r"));
}

TEST(Command, BadDataExits3AndMakesNoFolder) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "empty");
  expect_failure(duel(folder, "train --out r --data missing"), 3, "missing");
  expect_failure(duel(folder, "train --out r --data empty"), 3, "empty");
  expect_failure(duel(folder, "train --out r " + kSmall + "--batch 65"), 2, "--batch 65 is more than");
  expect_failure(duel(folder, "train --out r --resume"), 3, "r");
  EXPECT_FALSE(std::filesystem::exists(folder / "r"));
}

TEST(Command, AnotherDeviceExits4) {
  const TemporaryFolder folder;
  // More than any machine has, so that the test does the same with and without a GPU.
  expect_failure(duel(folder, "train --out r --device cuda:99 " + kSmall), 4, "cuda:");
  expect_failure(duel(folder, "train --out r --device cpu --precision tf32 " + kSmall), 4, "TF32");
  expect_failure(duel(folder, "train --out r --device gpu " + kSmall), 2, "auto, cpu, cuda or cuda:N");
  EXPECT_FALSE(std::filesystem::exists(folder / "r"));
}

TEST(Command, BenchesPrintWhatProgramsCanRead) {
  const TemporaryFolder folder;
  const std::string narrow = "--preset classic --threads 2 --ceilings h100 " + kSmall;
  const Outcome roofline = duel(folder, "roofline --json " + narrow);
  ASSERT_EQ(roofline.exit_code, 0) << roofline.output;
  EXPECT_GT(nlohmann::json::parse(roofline.output)["serial_us"], 0.0);
  const Outcome kernels = duel(folder, "bench kernels --milliseconds 1 --filter 'conv2d*' --json " + narrow);
  ASSERT_EQ(kernels.exit_code, 0) << kernels.output;
  const auto list = nlohmann::json::parse(kernels.output)["kernels"];
  ASSERT_FALSE(list.empty());
  for (const auto& kernel : list) {
    EXPECT_GT(kernel["ms"], 0.0);
    EXPECT_GT(kernel["vendor_ms"], 0.0);
  }
  expect_failure(duel(folder, "bench kernels --filter nothing " + narrow), 2,
                 "--filter nothing: no operator of the step has such a name");
  expect_failure(duel(folder, "roofline --ceilings moon --preset classic " + kSmall), 2, "h100, h200, a100");
  std::ofstream(folder / "probe.json")
      << R"({"device": "NVIDIA A100", "copy_gigabytes_per_second": 1500, "node_us": 2})";
  const std::string probed = "--ceilings probe.json --preset classic " + kSmall;
  const auto gaps = nlohmann::json::parse(duel(folder, "roofline --json " + probed).output);
  EXPECT_EQ(gaps["gb_per_s"], 1500);
  EXPECT_EQ(gaps["gaps_us"], 2 * gaps["nodes"].get<int>());
  expect_failure(duel(folder, "roofline " + probed), 0, "\ngaps: ");
  expect_failure(duel(folder, "bench ceilings --remember probe.json"), 0, "lanes of steps on NVIDIA A100 are planned");
  EXPECT_TRUE(std::filesystem::exists(folder / "cache/duel/probes.json"));
  expect_failure(duel(folder, "roofline --ceilings moon.json --preset classic " + kSmall), 3,
                 "moon.json: cannot be read");
  expect_failure(duel(folder, "roofline --bandwidth 100 --preset classic " + kSmall), 2, "--tflops");
}

TEST(Command, StreamedPicturesAndEagerLaunchesGiveTheSameBytes) {
  const TemporaryFolder folder;
  const std::string state = "checkpoints/step_000000011/state.safetensors";
  ASSERT_EQ(duel(folder, "train --out resident --steps 11 --residency device " + kSmall).exit_code, 0);
  const Outcome streamed =
      duel(folder, "train --out streamed --steps 11 --residency stream --steps-per-launch 3 --no-graph " + kSmall);
  EXPECT_EQ(streamed.exit_code, 0) << streamed.output;
  EXPECT_NE(streamed.output.find("64 pictures of 10x8x1, streamed, preset steady"), std::string::npos)
      << streamed.output;
  EXPECT_EQ(read_file(folder / "resident" / state), read_file(folder / "streamed" / state));
  expect_failure(duel(folder, "train --out x --residency disk " + kSmall), 2, "auto, device or stream");
  expect_failure(duel(folder, "train --out x --steps-per-launch 17 " + kSmall), 2, "an integer from 0 to 16");
}

TEST(Command, ParityExits0Or6Or3) {
  const TemporaryFolder folder;
  const std::string golden = "'" + golden_path("steady").string() + "'";
  const Outcome good = duel(folder, "parity --device cpu --threads 2 " + golden);
  EXPECT_EQ(good.exit_code, 0) << good.output;
  EXPECT_TRUE(good.output.ends_with("\nparity: ok\n")) << good.output;
  EXPECT_NE(
      good.output.find("3 steps of preset steady, loss relativistic, batch 4, pictures 6x7x3, recorded by PyTorch"),
      std::string::npos)
      << good.output;
  // Closer than float32 can be.
  expect_failure(duel(folder, "parity --device cpu --tolerance 1e-12 " + golden), 6, "parity: off at step 1: ");

  TensorFile file(golden_path("steady"));
  TensorFile::Tensor& gradient = file.tensors.at("step2/gradient/discriminator/conv1/weight");
  gradient.set(7, -gradient.get(7));
  file.write(folder / "wrong.safetensors");
  expect_failure(duel(folder, "parity --device cpu wrong.safetensors"), 6,
                 "parity: off at step 2: gradient/discriminator/conv1/weight deviates by ");

  const std::string whole = read_file(golden_path("steady"));
  write_file(folder / "short.safetensors", whole.substr(0, whole.size() - 4));
  expect_failure(duel(folder, "parity short.safetensors"), 3, "short.safetensors: ");
  expect_failure(duel(folder, "parity missing.safetensors"), 3, "missing.safetensors");
  expect_failure(duel(folder, "parity"), 2, "file");
  expect_failure(duel(folder, "parity --tolerance 0 " + golden), 2, "tolerance");
  expect_failure(duel(folder, "parity --precision fp16 " + golden), 2, "fp32, tf32 or bf16");
  expect_failure(duel(folder, "parity --device cuda:99 " + golden), 4, "cuda:");
}

TEST(Command, NumbersAreDecimalAndOptionsSpeakOfThemselves) {
  const TemporaryFolder folder;
  ASSERT_EQ(
      duel(folder, "train --out run --steps 40 --set output.checkpoint_every=8 --set output.keep_last=0 " + kSmall)
          .exit_code,
      0);
  const Outcome at_40 = duel(folder, "generate --run run --count 001 --step 000000040 --out a");
  EXPECT_EQ(at_40.output, "a: 1 pictures of step 40\n");
  expect_failure(duel(folder, "generate --run run --count 1 --step 0x28 --out b"), 2,
                 "--step 0x28: must be an integer");
  expect_failure(duel(folder, "generate --run run --count 1e1 --out b"), 2, "--count 1e1: must be an integer from 1");
  expect_failure(duel(folder, "generate --run run --count ' 5' --out b"), 2, "--count \" 5\": must be");
  expect_failure(duel(folder, "generate --run run --count '' --out b"), 2, "--count \"\": must be");
  expect_failure(duel(folder, "generate --run run --count 1 --seed +5 --out b"), 2, "--seed +5: must be");
  expect_failure(duel(folder, "generate --run run --count 1 --seed=-5 --out b"), 2, "--seed -5: must be");
  expect_failure(duel(folder, "generate --run run --count 1 --threads 0x1 --out b"), 2, "--threads 0x1: must be");
  expect_failure(duel(folder, "bench step --seconds 1s " + kSmall), 2, "--seconds 1s: must be a number from 0");
  expect_failure(duel(folder, "parity --tolerance 0x1p-3 x"), 2, "--tolerance 0x1p-3: must be");
  expect_failure(duel(folder, "train --out r --data 'new\\name'"), 3, "new\\name'");
  expect_failure(duel(folder, "train --out r --preset ''"), 2, "--preset \"\": must be a text that is not empty");
  EXPECT_FALSE(std::filesystem::exists(folder / "b"));
}

// The same with standard output as `redirection` says; what is returned is of standard error.
Outcome duel_into(const TemporaryFolder& folder, const std::string& redirection, const std::string& arguments) {
  const std::string command = fmt::format("cd '{0}' && XDG_CACHE_HOME='{0}/cache' '" DUEL_COMMAND "' {1} {2} 2>error",
                                          folder.path().string(), arguments, redirection);
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(folder / "error")};
}

TEST(Command, OutputThatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  for (const char* redirection : {">/dev/full", ">&-"}) {
    for (const char* arguments : {"info", "info --json", "--help", "--version", "train --help", "train --help-keys"}) {
      expect_failure(duel_into(folder, redirection, arguments), 3, "duel: standard output: cannot be written");
    }
    expect_failure(duel_into(folder, redirection, "trian"), 2, "trian");
  }
  // Training goes on without a reader, and nothing of what it says ends up in another file.
  EXPECT_EQ(duel_into(folder, ">/dev/full", "train --out run --steps 2 " + kSmall).exit_code, 0);
  EXPECT_EQ(duel_into(folder, ">&-", "train --out closed --steps 2 " + kSmall).exit_code, 0);
  EXPECT_EQ(read_file(folder / "closed/config.toml"), read_file(folder / "run/config.toml"));
  EXPECT_EQ(read_file(folder / "closed/.lock").find("step"), std::string::npos);
}

TEST(Command, WithoutAHomeNothingIsLeftInTheCurrentFolder) {
  const TemporaryFolder folder;
  std::ofstream(folder / "probe.json") << R"({"device": "NVIDIA A100", "copy_gigabytes_per_second": 1500})";
  std::filesystem::create_directory(folder / "here");
  const std::string command = "cd '" + (folder / "here").string() + "' && ";
  for (const char* home : {"-u HOME -u XDG_CACHE_HOME", "-u XDG_CACHE_HOME HOME=", "HOME= XDG_CACHE_HOME=cache",
                           "HOME=home XDG_CACHE_HOME="}) {
    const std::string in_it = command + "env " + home + " '" DUEL_COMMAND "' ";
    EXPECT_EQ(std::system((in_it + "bench ceilings --remember ../probe.json > ../log 2>&1").c_str()), 3 << 8);
    EXPECT_NE(read_file(folder / "log").find("nowhere to remember"), std::string::npos) << read_file(folder / "log");
    EXPECT_EQ(std::system((in_it + "info > ../log 2>&1").c_str()), 0);
    EXPECT_EQ(names_in(folder / "here"), std::vector<std::string>());
  }
}

TEST(Command, NetworksThatAreTooLargeAreAFaultOfTheConfiguration) {
  const TemporaryFolder folder;
  for (const char* settings :
       {"model.generator_widths=[65536,65536]", "model.discriminator_widths=[65536,65536]",
        "model.discriminator_channels=[65536,65536]",
        "model.discriminator_channels=[65536] --set data.synthetic_height=1024 --set data.synthetic_width=1024"}) {
    for (const char* verb : {"train --dry-run ", "roofline --ceilings h100 "}) {
      expect_failure(duel(folder, verb + kSmall + "--set " + settings), 2, "are needed");
    }
  }
}

TEST(Command, TheConfigurationSaysWhatWasResolvedAndIsReadFromElsewhere) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "data");
  write_bytes(folder / "data/train-images-idx3-ubyte", idx_bytes({64, 10, 8}));
  std::filesystem::create_directory(folder / "elsewhere");
  ASSERT_EQ(duel(folder, "train --out run --steps 2 " + kSmall + "--data data").exit_code, 0);
  const std::string config = read_file(folder / "run/config.toml");
  for (const char* part :
       {"#   device                 cpu (2 threads)", "#   CPU threads            2\n", "#   kernels "}) {
    EXPECT_NE(config.find(part), std::string::npos) << part << "\n" << config;
  }
  const Outcome resumed =
      duel(folder, "--version && cd elsewhere && '" DUEL_COMMAND "' train --resume --steps 4 --out ../run");
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("done at step 4"), std::string::npos) << resumed.output;
}

TEST(Command, OldPicturesAreNotMixedWithNewOnes) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out run --steps 2 " + kSmall).exit_code, 0);
  const std::string generate = "generate --run run ";
  ASSERT_EQ(duel(folder, generate + "--count 9 --out a").exit_code, 0);
  write_file(folder / "a/notes.txt", "mine");
  expect_failure(duel(folder, generate + "--count 2 --out a"), 2,
                 "a: holds pictures already (0000000.png, 0000001.png, 0000002.png and 6 more); name another --out, or "
                 "remove them first with --clear");
  EXPECT_EQ(names_in(folder / "a").size(), 10U);
  ASSERT_EQ(duel(folder, generate + "--seeds 3,5-6 --out a --clear").exit_code, 0);
  EXPECT_EQ(names_in(folder / "a"), (std::vector<std::string>{"notes.txt", "seed_0000000003.png", "seed_0000000005.png",
                                                              "seed_0000000006.png"}));
  write_file(folder / "a/cat.jpg", "mine");
  expect_failure(duel(folder, generate + "--count 2 --out a --clear"), 2, "a: holds other pictures (cat.jpg)");
  EXPECT_EQ(names_in(folder / "a").size(), 5U);
  expect_failure(duel(folder, generate + "--grid 2x2 --out x.jpg"), 2, "--out x.jpg: a sheet is written as PNG");
  expect_failure(duel(folder, generate + "--grid 2x2 --out x"), 2, "must end in .png");
  expect_failure(duel(folder, generate + "--count 1 --out x.png"), 2, "--out x.png: single pictures go into a folder");
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{"a", "run"}));
}

TEST(Command, ListsOfSeedsAndWaysBetweenThem) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out run --steps 2 " + kSmall).exit_code, 0);
  const std::string generate = "generate --run run ";
  ASSERT_EQ(duel(folder, generate + "--seeds 1,5,9-12 --out a").exit_code, 0);
  EXPECT_EQ(names_in(folder / "a").size(), 6U);
  ASSERT_EQ(duel(folder, generate + "--seeds 11-100 --out b").exit_code, 0);
  ASSERT_EQ(duel(folder, generate + "--seed 11 --count 1 --out c").exit_code, 0);
  const std::string eleven = read_file(folder / "a/seed_0000000011.png");
  EXPECT_EQ(read_file(folder / "b/seed_0000000011.png"), eleven);
  EXPECT_EQ(read_file(folder / "c/0000000.png"), eleven);
  EXPECT_NE(read_file(folder / "a/seed_0000000012.png"), eleven);
  ASSERT_EQ(duel(folder, generate + "--seeds 18446744073709551614-18446744073709551615 --out d").exit_code, 0);

  ASSERT_EQ(duel(folder, generate + "--interpolate 5,11,5 --steps-between 3 --out way").exit_code, 0);
  EXPECT_EQ(names_in(folder / "way").size(), 9U);
  EXPECT_EQ(read_file(folder / "way/0000004.png"), eleven);
  EXPECT_EQ(read_file(folder / "way/0000000.png"), read_file(folder / "a/seed_0000000005.png"));
  EXPECT_EQ(read_file(folder / "way/0000000.png"), read_file(folder / "way/0000008.png"));
  EXPECT_NE(read_file(folder / "way/0000001.png"), read_file(folder / "way/0000002.png"));
  EXPECT_EQ(duel(folder, generate + "--interpolate 5,11 --steps-between 2 --grid 2x2 --out way.png").exit_code, 0);
  EXPECT_EQ(duel(folder, generate + "--seeds 1-3 --grid 2x2 --out seeds.png").exit_code, 0);

  expect_failure(duel(folder, generate + "--seeds 1-5 --grid 2x2 --out x.png"), 2,
                 "5 pictures are more than the 4 places");
  expect_failure(duel(folder, generate + "--seeds 1,5,1 --out x"), 2, "names seed 1 twice");
  for (const char* seeds : {"1,", ",1", "5-3", "1-", "-3", "'1 2'", "x", "0x1", "1--2", "18446744073709551616", "''"}) {
    expect_failure(duel(folder, generate + "--out x --seeds=" + seeds), 2, "--seeds");
  }
  expect_failure(duel(folder, generate + "--seeds 0-18446744073709551615 --out x"), 2, "are more than 10000000 seeds");
  expect_failure(duel(folder, generate + "--interpolate 5 --out x"), 2, "at least two seeds");
  expect_failure(duel(folder, generate + "--seeds 1 --seed 2 --out x"), 2, "--seed");
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
}

TEST(Command, AnOccupiedFolderIsRefusedAndLeftAsItWas) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out run --steps 2 " + kSmall).exit_code, 0);
  const auto before = names_in(folder / "run");
  expect_failure(duel(folder, "train --out run --steps 2 " + kSmall), 2, "--resume");
  EXPECT_EQ(names_in(folder / "run"), before);
}

TEST(Command, ACorruptCheckpointIsRefusedOnResume) {
  const TemporaryFolder folder;
  ASSERT_EQ(duel(folder, "train --out run --steps 2 " + kSmall).exit_code, 0);
  const auto path = folder / "run/checkpoints/step_000000002/state.safetensors";
  std::string bytes = read_file(path);
  bytes[bytes.size() - 9] = static_cast<char>(bytes[bytes.size() - 9] ^ 1);
  write_file(path, bytes);
  expect_failure(duel(folder, "train --out run --resume --steps 4"), 3, "state.safetensors");
  expect_failure(duel(folder, "train --out run --resume --steps 4 --set model.generator_widths=[17]"), 2,
                 "model.generator_widths [16] -> [17]");
}

TEST(Command, DryRunAndInfoAndBenchTellWhatTheyShould) {
  const TemporaryFolder folder;
  const Outcome dry = duel(folder, "train --dry-run --steps 100 " + kSmall);
  EXPECT_EQ(dry.exit_code, 0) << dry.output;
  for (const char* part : {"generator: ", "discriminator: ", "memory on cpu", "ms a step", "100 steps take"}) {
    EXPECT_NE(dry.output.find(part), std::string::npos) << part << "\n" << dry.output;
  }
  const nlohmann::json info = nlohmann::json::parse(duel(folder, "info --json").output);
  for (const char* name : {"duel", "build", "backends", "CPU features", "oneDNN"}) {
    EXPECT_TRUE(info.contains(name)) << name;
  }
  const nlohmann::json bench =
      nlohmann::json::parse(duel(folder, "bench step --seconds 0 --ceilings h100 --json " + kSmall).output);
  EXPECT_GT(bench["ms_median"], 0);
  EXPECT_GT(bench["primitives_ms"], 0);
  EXPECT_GT(bench["floor_ms"], 0);
  EXPECT_GT(bench["operator_calls"], 50);
  EXPECT_GT(bench["advice"].get<std::string>().size(), 40U);
  int calls = 0;
  std::set<std::string> keys;  // what rows are joined by
  for (const auto& row : bench["operators"]) {
    calls += row["calls"].get<int>();
    keys.insert(fmt::format("{} {} {}", row["op"].get<std::string>(), row["arrays"].get<std::string>(),
                            row["where"].get<std::string>()));
  }
  EXPECT_EQ(calls, bench["operator_calls"]);
  EXPECT_EQ(keys.size(), bench["operators"].size());
  EXPECT_TRUE(
      keys.contains("conv2d_forward f32[8,10,8,1] f32[4,3,3,1] f32[4] -> f32[8,10,8,4] "
                    "g_main/discriminator/conv1"))
      << fmt::format("{}", fmt::join(keys, "\n"));
}

}  // namespace
}  // namespace duel::test
