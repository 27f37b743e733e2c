// Which number of steps in a launch the measurements lead to.
#include "host/launch_tuner.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace duel::test {
namespace {

int best_of(int most, std::initializer_list<double> seconds) {
  LaunchTuner tuner(most);
  for (const double each : seconds) {
    EXPECT_FALSE(tuner.is_done());
    EXPECT_GE(tuner.steps_to_time(), 4 * tuner.candidate());
    EXPECT_EQ(tuner.steps_to_time() % tuner.candidate(), 0);
    tuner.record(each);
  }
  return tuner.best();
}

TEST(LaunchTuner, TakesTheFewestOfTheQuickest) {
  EXPECT_EQ(best_of(16, {10, 8, 7, 6, 5}), 16);
  EXPECT_EQ(best_of(16, {10, 8, 5.05, 5, 5.02}), 4);
  EXPECT_EQ(best_of(16, {5, 5, 5, 5, 5}), 1);
  EXPECT_EQ(best_of(16, {10, 5, 7}), 2);
  EXPECT_EQ(best_of(16, {}), 1);
}

TEST(LaunchTuner, TriesPowersOfTwo) {
  LaunchTuner tuner(6);
  for (const int candidate : {1, 2, 4}) {
    EXPECT_EQ(tuner.candidate(), candidate);
    tuner.record(1);
  }
  EXPECT_TRUE(tuner.is_done());
}

}  // namespace
}  // namespace duel::test
