// Which evaluation of a run is the best.
#include "host/train/best_step.h"

#include <gtest/gtest.h>

#include <limits>

namespace duel::test {
namespace {

TEST(BestStep, IsTheFirstOfTheLowest) {
  BestStep best;
  EXPECT_FALSE(best.best());
  EXPECT_EQ(best.since_best(), 0);
  EXPECT_TRUE(best.add(10, 0.5));
  EXPECT_TRUE(best.add(20, -0.25));
  EXPECT_FALSE(best.add(30, -0.25));
  EXPECT_FALSE(best.add(40, 0.1));
  EXPECT_EQ(best.best()->step, 20);
  EXPECT_EQ(best.best()->value, -0.25);
  EXPECT_EQ(best.since_best(), 2);
  EXPECT_TRUE(best.add(50, -0.3));
  EXPECT_EQ(best.since_best(), 0);
}

TEST(BestStep, IsNoNumberThatIsNotFinite) {
  BestStep best;
  EXPECT_FALSE(best.add(10, std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(best.add(20, -std::numeric_limits<double>::infinity()));
  EXPECT_EQ(best.since_best(), 2);
  EXPECT_TRUE(best.add(30, 7));
  EXPECT_EQ(best.best()->step, 30);
}

TEST(BestStep, WithoutACheckpointItIsAnother) {
  BestStep best;
  best.add(10, 3);
  best.add(20, 2);
  best.add(30, 1);
  best.lose(30);
  EXPECT_EQ(best.best()->step, 20);
  EXPECT_EQ(best.since_best(), 1);
  EXPECT_TRUE(best.add(40, 1.5));
  for (const int step : {10, 20, 40}) {
    best.lose(step);
  }
  EXPECT_FALSE(best.best());
  EXPECT_EQ(best.since_best(), 4);
}

}  // namespace
}  // namespace duel::test
