// What PyTorch recorded (tests/golden) replayed by the emulated CUDA kernels. DUEL_PARITY_FILE in the environment names
// a further trajectory, whose table is printed.
#include "host/parity.h"
#include "host/replay.h"
#include "tests/support/op_runner.h"
#include "tests/support/trajectory_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace duel::test {
namespace {

const Backend& backend_named(const std::string& name) {
  const auto& list = backends();
  return *std::find_if(list.begin(), list.end(), [&](const Backend& backend) { return backend.name == name; });
}

class EmulatedTrajectory : public testing::TestWithParam<std::string> {
protected:
  // Gradients are held to the tolerance in fp32 only, for the reason that tests/host/parity_test.cpp gives.
  static void expect_replayed(Context& context, const std::string& precision, double losses) {
    const Trajectory trajectory(golden_path(GetParam()));
    Replay replay(context, trajectory, precision, default_tolerance(precision));
    for (int step = 1; step <= trajectory.steps(); ++step) {
      const ReplayedStep result = replay.step();
      if (precision == "fp32") {
        EXPECT_FALSE(result.first_off) << result.first_off->tensor << " " << result.first_off->value;
      }
      EXPECT_LT(result.d_loss, losses);
      EXPECT_LT(result.g_loss, losses);
      EXPECT_TRUE(std::isfinite(result.gradient.value)) << result.gradient.tensor;
      EXPECT_LT(result.weight.value, 1e-4) << result.weight.tensor;  // from the same gradients
    }
  }
};

TEST_P(EmulatedTrajectory, IsReplayed) {
  expect_replayed(*backend_named("emulated").open(0), "fp32", 1e-5);
}

TEST_P(EmulatedTrajectory, IsReplayedInBf16ButForItsGradients) {
  expect_replayed(*backend_named("emulated").open(0), "bf16", 0.05);
}

TEST_P(EmulatedTrajectory, IsReplayedInTf32ButForItsGradients) {
  expect_replayed(*backend_named("emulated_tf32").open(2), "tf32", 0.01);
}

INSTANTIATE_TEST_SUITE_P(files, EmulatedTrajectory, testing::ValuesIn(golden_names()),
                         [](const auto& test) { return test.param; });

TEST(EmulatedParity, TheFileInTheEnvironment) {
  const char* file = std::getenv("DUEL_PARITY_FILE");
  if (file == nullptr) {
    GTEST_SKIP() << "DUEL_PARITY_FILE names no trajectory";
  }
  EXPECT_EQ(print_parity(*backend_named("emulated").open(0), Trajectory(file), "fp32", default_tolerance("fp32")), 0);
}

}  // namespace
}  // namespace duel::test
