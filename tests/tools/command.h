// The command line as a process: what it prints, its exit codes, and that nothing is lost. A test is
// TEST_F(Command, ...) in the file of its verb.
#pragma once

#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace duel::test {

struct Outcome {
  int exit_code = -1;
  std::string output;  // of both streams
};

// A training that takes milliseconds.
inline const std::string kSmall =
    "--data synthetic --threads 2 --batch 8 --set data.synthetic_count=64 --set data.synthetic_height=10 "
    "--set data.synthetic_width=8 --set model.generator_widths=[16] --set model.discriminator_channels=[4] "
    "--set model.discriminator_widths=[8] --set model.networks=classic --set data.labels=false ";

class Command : public ::testing::Test {
protected:
  // Runs `duel ARGUMENTS` in the test's folder through the shell. What the user's own programs remember is none of its
  // business.
  Outcome duel(const std::string& arguments) const {
    const std::string command = fmt::format("cd '{0}' && XDG_CACHE_HOME='{0}/cache' '{1}' {2} 2>&1",
                                            folder_.path().string(), command_path(), arguments);
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

  // A small one, into the folder `run`.
  Outcome train(const std::string& arguments) const { return duel("train --out run " + kSmall + arguments); }

  TemporaryFolder folder_;
};

inline void expect_outcome(const Outcome& outcome, int exit_code, const std::string& part) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.output;
  EXPECT_NE(outcome.output.find(part), std::string::npos) << outcome.output;
}

}  // namespace duel::test
