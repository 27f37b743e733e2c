// The share of ordered pairs, against every pair counted.
#include "host/metrics/ordered_pairs.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace duel::test {
namespace {

TEST(OrderedPairs, AreAllOrNoneOfSetsApart) {
  const std::vector<float> low = {-3, -2, 0}, high = {1, 7};
  EXPECT_EQ(ordered_share(high, low), 1);
  EXPECT_EQ(ordered_share(low, high), 0);
  EXPECT_EQ(ordered_share(low, low), 0.5);
  EXPECT_EQ(ordered_share(std::vector<float>{1, 1}, std::vector<float>{1}), 0.5);
  EXPECT_EQ(ordered_share(std::vector<float>{2, 0}, std::vector<float>{0, 1, 3, 0}), (3 + 2 * 0.5) / 8);
}

TEST(OrderedPairs, AreCountedEachAndEqualOnesHalf) {
  std::mt19937 random(3);
  std::vector<float> high(37), low(53);
  for (float& value : high) {
    value = static_cast<float>(random() % 11);
  }
  for (float& value : low) {
    value = static_cast<float>(random() % 9);
  }
  double count = 0;
  for (const float a : high) {
    for (const float b : low) {
      count += a > b ? 1 : a == b ? 0.5 : 0;
    }
  }
  EXPECT_DOUBLE_EQ(ordered_share(high, low), count / (37 * 53));
}

}  // namespace
}  // namespace duel::test
