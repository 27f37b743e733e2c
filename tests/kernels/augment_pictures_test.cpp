// How often pictures are changed, and how: each change by its own draws, with the probability that was asked for, and
// no result of all of them as frequent as the unchanged picture. From the frequencies of what is seen those of what was
// there could be worked out then, so that a generator gains nothing by making changed pictures.
#include "kernels/augment_pictures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <tuple>
#include <vector>

namespace duel::test {
namespace {

constexpr int kPictures = 40'000, kHeight = 16, kWidth = 8;

AugmentPictures everything() {
  return {2, 1, 3, 2, true, 0.3F, 0.6F, 0.3F};
}

std::vector<PictureAugmentation> drawn(const AugmentPictures& p, float probability) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<PictureAugmentation> all;
  for (int n = 0; n < kPictures; ++n) {
    std::array<float, kAugmentDraws> draws;
    std::generate(draws.begin(), draws.end(), [&] { return uniform(generator); });
    all.push_back(picture_augmentation(p, draws.data(), probability, kHeight, kWidth));
  }
  return all;
}

// Five standard deviations of a share of so many pictures.
double five_deviations(double share) {
  return 5 * std::sqrt(share * (1 - share) / kPictures) + 1e-9;
}

using Result = std::tuple<int, int, bool, bool, int, int, float, float, float, float>;

Result result(const PictureAugmentation& a) {
  return {a.down, a.right, a.is_mirrored, a.has_hole, a.hole_row, a.hole_column, a.own, a.grey, a.mean, a.offset};
}

TEST(AugmentPictures, TheUnchangedPictureIsTheMostFrequentBelowOne) {
  for (const float probability : {0.1F, 0.5F, 0.8F}) {
    std::map<Result, int> counts;
    for (const PictureAugmentation& a : drawn(everything(), probability)) {
      ++counts[result(a)];
    }
    const double p = static_cast<double>(probability), moves = 5 * 3;
    const double unchanged = (1 - p + p / moves) * (1 - p / 2) * (1 - p) * (1 - p);
    const int count = counts[result({})];
    EXPECT_NEAR(count / static_cast<double>(kPictures), unchanged, five_deviations(unchanged)) << probability;
    for (const auto& [each, times] : counts) {
      EXPECT_TRUE(each == result({}) || times < count) << probability << ": " << times << " of " << count;
    }
  }
}

TEST(AugmentPictures, EachChangeIsMadeAsOftenAsAskedAndByItself) {
  for (const double probability : {0.0, 0.3, 1.0}) {
    double mirrored = 0, cut = 0, coloured = 0, moved = 0, cut_and_coloured = 0;
    for (const PictureAugmentation& a : drawn(everything(), static_cast<float>(probability))) {
      mirrored += a.is_mirrored ? 1.0 / kPictures : 0;
      cut += a.has_hole ? 1.0 / kPictures : 0;
      coloured += a.changes_colours() ? 1.0 / kPictures : 0;
      moved += a.down != 0 || a.right != 0 ? 1.0 / kPictures : 0;
      cut_and_coloured += a.has_hole && a.changes_colours() ? 1.0 / kPictures : 0;
    }
    EXPECT_NEAR(mirrored, probability / 2, five_deviations(probability / 2));
    EXPECT_NEAR(cut, probability, five_deviations(probability));
    EXPECT_NEAR(coloured, probability, five_deviations(probability));
    EXPECT_NEAR(moved, probability * 14 / 15, five_deviations(probability * 14 / 15));
    EXPECT_NEAR(cut_and_coloured, probability * probability, five_deviations(probability * probability));
  }
}

TEST(AugmentPictures, EveryMoveAndEveryHoleIsAsLikelyAsAnyOther) {
  std::map<std::pair<int, int>, int> moves, holes;
  double own = 0, offset = 0;
  for (const PictureAugmentation& a : drawn(everything(), 1)) {
    ++moves[{a.down, a.right}];
    ++holes[{a.hole_row, a.hole_column}];
    own += static_cast<double>(a.own) / kPictures;
    offset += static_cast<double>(a.offset) / kPictures;
    EXPECT_LE(std::fabs(a.offset), 0.3F);
    EXPECT_NEAR(a.own + a.grey + a.mean, 1, 1e-5);  // a picture of one grey keeps it
  }
  ASSERT_EQ(moves.size(), 15U);
  ASSERT_EQ(holes.size(), static_cast<std::size_t>(kHeight * kWidth));
  for (const auto& [place, count] : moves) {
    EXPECT_TRUE(std::abs(place.first) <= 2 && std::abs(place.second) <= 1);
    EXPECT_NEAR(count, kPictures / 15.0, 5 * std::sqrt(kPictures / 15.0));
  }
  for (const auto& [place, count] : holes) {
    EXPECT_TRUE(place.first >= 0 && place.first < kHeight && place.second >= 0 && place.second < kWidth);
    EXPECT_NEAR(count, kPictures / 128.0, 5 * std::sqrt(kPictures / 128.0));
  }
  EXPECT_NEAR(own, 1, 0.02);  // neither stronger nor weaker on average, neither lighter nor darker
  EXPECT_NEAR(offset, 0, 0.01);
}

TEST(AugmentPictures, WhatIsNotAskedForDoesNotHappen) {
  for (const PictureAugmentation& a : drawn({}, 1)) {
    EXPECT_EQ(result(a), result({}));
  }
}

}  // namespace
}  // namespace duel::test
