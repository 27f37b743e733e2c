// A training in the middle of which something happens: signals, and files that vanish.
#include "tests/support/paths.h"
#include "tests/tools/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstring>
#include <thread>

namespace duel::test {
namespace {

// A training that goes on until it is told to stop, once its first row is there.
struct Endless {
  explicit Endless(const TemporaryFolder& folder) : run(folder / "run"), log(folder / "log") {
    child = ::fork();
    if (child == 0) {
      const int descriptor = ::open(log.c_str(), O_CREAT | O_WRONLY, 0600);
      ::dup2(descriptor, 1);
      ::dup2(descriptor, 2);
      ::execl(command_path(), "duel", "train", "--data", "synthetic", "--out", run.c_str(), "--steps", "1000000",
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

// Two signals at once may reach either thread's handler first, so that either may be the one that is said.
TEST_F(Command, SignalsWriteACheckpointAndExit130) {
  for (const auto& [first, second] : {std::pair{SIGTERM, SIGTERM}, {SIGHUP, SIGINT}}) {
    const TemporaryFolder folder;
    const Endless training(folder);
    EXPECT_EQ(training.end({first, second}), 130) << read_file(training.log);
    for (const auto& path : {training.log, training.run / "log.txt"}) {
      const std::string text = read_file(path);
      const auto says = [&](int signal) {
        return text.find(fmt::format("interrupted by SIG{} at step ", ::sigabbrev_np(signal))) != std::string::npos;
      };
      EXPECT_TRUE(says(first) || says(second)) << text;
    }
    const std::string latest = read_file(training.run / "checkpoints/latest");
    EXPECT_TRUE(std::filesystem::exists(training.run / "checkpoints" / latest.substr(0, latest.size() - 1)));
  }
}

TEST_F(Command, WhatVanishesWhileItTrainsIsMadeAgain) {
  const Endless training(folder_);
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
  EXPECT_EQ(duel("train --out run --resume --steps 1").exit_code, 0);
}

}  // namespace
}  // namespace duel::test
