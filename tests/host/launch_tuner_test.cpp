// Which number of steps in a launch, and of lanes, the measurements lead to.
#include "host/device/launch_tuner.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace duel::test {
namespace {

using Launch = LaunchTuner::Launch;

Launch best_of(const Launch& fewest, const Launch& most, std::initializer_list<double> seconds) {
  LaunchTuner tuner(fewest, most);
  for (const double each : seconds) {
    EXPECT_FALSE(tuner.is_done());
    EXPECT_GE(tuner.steps_to_time(), 4 * tuner.candidate().steps);
    EXPECT_EQ(tuner.steps_to_time() % tuner.candidate().steps, 0);
    tuner.record(each);
  }
  return tuner.best();
}

TEST(LaunchTuner, TakesTheFewestOfTheQuickest) {
  const auto best_steps = [](std::initializer_list<double> seconds) { return best_of({1, 1}, {16, 1}, seconds).steps; };
  EXPECT_EQ(best_steps({10, 8, 7, 6, 5}), 16);
  EXPECT_EQ(best_steps({10, 8, 5.05, 5, 5.02}), 4);
  EXPECT_EQ(best_steps({5, 5, 5, 5, 5}), 1);
  EXPECT_EQ(best_steps({10, 5, 7}), 2);
  EXPECT_EQ(best_steps({}), 1);
}

TEST(LaunchTuner, TriesPowersOfTwoAndThenTheBestOnFewerLanes) {
  LaunchTuner tuner({1, 1}, {6, 2});
  for (const int candidate : {1, 2, 4}) {
    EXPECT_EQ(tuner.candidate(), (Launch{candidate, 2}));
    tuner.record(candidate == 2 ? 0.5 : 1);
  }
  ASSERT_FALSE(tuner.is_done());
  EXPECT_EQ(tuner.candidate(), (Launch{2, 1}));
  tuner.record(0.4);
  EXPECT_TRUE(tuner.is_done());
  EXPECT_EQ(tuner.best(), (Launch{2, 1}));
  EXPECT_EQ(tuner.report(),
            "launches: chosen 2 steps a launch on 1 lane: 400 ms a step; 1 step a launch on 2 lanes: 1000 ms a step; "
            "2 steps a launch on 2 lanes: 500 ms a step; 4 steps a launch on 2 lanes: 1000 ms a step");
}

TEST(LaunchTuner, MoreLanesMustBeQuicker) {
  EXPECT_EQ(best_of({4, 1}, {4, 2}, {1.0, 1.03}), (Launch{4, 2}));
  EXPECT_EQ(best_of({4, 1}, {4, 2}, {1.0, 1.01}), (Launch{4, 1}));
  EXPECT_EQ(best_of({4, 1}, {4, 2}, {1.0, 0.5}), (Launch{4, 1}));
}

}  // namespace
}  // namespace duel::test
