// What PyTorch recorded (tests/golden) replayed by the emulated CUDA kernels. DUEL_PARITY_FILE in the environment names
// a further trajectory, whose tables are printed.
#include "host/parity/parity.h"
#include "host/parity/replay.h"
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
  // In fp32 everything is held to its bound, in others gradients only where no activation has a kink, for the reason
  // that tests/host/parity_test.cpp gives.
  static void expect_replayed(Context& context, const std::string& precision) {
    const Trajectory trajectory(golden_path(GetParam()));
    const Bounds bounds = default_bounds(precision);
    Replay replay(context, trajectory, precision, bounds);
    for (int step = 1; step <= trajectory.steps(); ++step) {
      const ReplayedStep result = replay.step();
      for (const Deviation& loss : result.duel.losses) {
        EXPECT_LT(loss.value, precision == "fp32" ? 1e-5 : bounds.loss) << loss.tensor;
      }
      EXPECT_LT(result.weight.value, bounds.weight) << result.weight.tensor;  // from the same gradients
      EXPECT_TRUE(std::isfinite(result.duel.norm.value)) << result.duel.norm.tensor;
      if (precision == "fp32" || !has_kinks(trajectory.options())) {
        EXPECT_FALSE(result.first_off) << result.first_off->deviation.tensor << " "
                                       << result.first_off->deviation.value;
        EXPECT_LT(result.duel.norm.value, bounds.gradient_norm / 3) << result.duel.norm.tensor;
      }
    }
  }
};

TEST_P(EmulatedTrajectory, IsReplayed) {
  expect_replayed(*backend_named("emulated").open(0), "fp32");
}

TEST_P(EmulatedTrajectory, IsReplayedInBf16) {
  expect_replayed(*backend_named("emulated").open(0), "bf16");
}

TEST_P(EmulatedTrajectory, IsReplayedInTf32) {
  expect_replayed(*backend_named("emulated_tf32").open(2), "tf32");
}

INSTANTIATE_TEST_SUITE_P(files, EmulatedTrajectory, testing::ValuesIn(golden_names()),
                         [](const auto& test) { return test.param; });

TEST(EmulatedParity, TheFileInTheEnvironment) {
  const char* file = std::getenv("DUEL_PARITY_FILE");
  if (file == nullptr) {
    GTEST_SKIP() << "DUEL_PARITY_FILE names no trajectory";
  }
  const Trajectory trajectory(file);
  EXPECT_EQ(replay_all(*backend_named("emulated").open(0), trajectory, "fp32", default_bounds("fp32")).off(), nullptr);
  EXPECT_EQ(replay_all(*backend_named("emulated").open(0), trajectory, "bf16", default_bounds("bf16")).off(), nullptr);
  EXPECT_EQ(replay_all(*backend_named("emulated_tf32").open(2), trajectory, "tf32", default_bounds("tf32")).off(),
            nullptr);
}

}  // namespace
}  // namespace duel::test
