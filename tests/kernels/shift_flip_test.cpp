// How pictures are moved: every place as often as any other, in one picture as in the next, and never the same twice.
#include "kernels/shift_flip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace duel::test {
namespace {

constexpr int kPictures = 20'000;

ShiftFlip by(int pixels, bool flips) {
  ShiftFlip p;
  p.random = {7, Purpose::interpolation};
  p.pixels = pixels;
  p.flips = flips;
  return p;
}

TEST(ShiftFlip, EveryMoveIsAsLikelyAsAnyOther) {
  std::map<std::tuple<int, int, bool>, int> counts;
  for (int n = 0; n < kPictures; ++n) {
    const PictureMove move =
        picture_move(by(2, true), static_cast<std::uint64_t>(n / 100), static_cast<std::uint32_t>(n % 100));
    ++counts[{move.down, move.right, move.is_flipped}];
  }
  ASSERT_EQ(counts.size(), 50U);  // 5 places down, 5 to the right, mirrored or not
  for (const auto& [move, count] : counts) {
    EXPECT_LE(std::abs(std::get<0>(move)), 2);
    EXPECT_LE(std::abs(std::get<1>(move)), 2);
    EXPECT_NEAR(count, kPictures / 50.0, 5 * std::sqrt(kPictures / 50.0));  // five standard deviations
  }
}

TEST(ShiftFlip, StepsSeedsAndPurposesMoveDifferently) {
  const auto moves = [](const ShiftFlip& p, std::uint64_t step) {
    std::vector<int> all;
    for (std::uint32_t n = 0; n < 64; ++n) {
      const PictureMove move = picture_move(p, step, n);
      all.insert(all.end(), {move.down, move.right, move.is_flipped ? 1 : 0});
    }
    return all;
  };
  ShiftFlip other_seed = by(2, true), other_purpose = by(2, true);
  other_seed.random.seed = 8;
  other_purpose.random.purpose = Purpose::d_reals;
  const std::set<std::vector<int>> different = {moves(by(2, true), 0), moves(by(2, true), 1),
                                                moves(by(2, true), std::uint64_t{1} << 32), moves(other_seed, 0),
                                                moves(other_purpose, 0)};
  EXPECT_EQ(different.size(), 5U);
  EXPECT_EQ(moves(by(2, true), 3), moves(by(2, true), 3));
}

TEST(ShiftFlip, WhatIsNotAskedForDoesNotHappen) {
  for (std::uint32_t n = 0; n < 1000; ++n) {
    const PictureMove still = picture_move(by(0, false), 1, n), moved = picture_move(by(3, false), 1, n);
    EXPECT_TRUE(still.down == 0 && still.right == 0 && !still.is_flipped && !moved.is_flipped);
  }
}

}  // namespace
}  // namespace duel::test
