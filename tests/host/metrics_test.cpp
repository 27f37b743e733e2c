// Metrics against closed forms. What independent packages make of the same features: metrics_recorded_test.cpp.
#include "host/metrics/class_score.h"
#include "host/metrics/colourfulness.h"
#include "host/metrics/distances.h"
#include "host/metrics/frechet.h"
#include "host/metrics/kernel_distance.h"
#include "host/metrics/picture_similarity.h"
#include "host/metrics/picture_spread.h"
#include "host/metrics/precision_recall.h"
#include "host/metrics/row_blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace duel::test {
namespace {

Features drawn(int count, int width, std::uint64_t seed, float scale = 1, float shift = 0) {
  std::mt19937_64 random(seed);
  Features features{width, {}};
  for (int i = 0; i < count * width; ++i) {
    features.values.push_back(shift + scale * static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-53));
  }
  return features;
}

Moments moments_of(const Features& features) {
  Moments moments(features.width);
  moments.add(features.values);
  return moments;
}

// Rows whose covariance is diagonal: +-`deviations` along one axis each.
Moments axes(const std::vector<float>& deviations, float shift) {
  Features features{static_cast<int>(deviations.size()), {}};
  for (std::size_t axis = 0; axis < deviations.size(); ++axis) {
    for (const float sign : {1.0F, -1.0F}) {
      for (std::size_t i = 0; i < deviations.size(); ++i) {
        features.values.push_back(shift + (i == axis ? sign * deviations[axis] : 0));
      }
    }
  }
  return moments_of(features);
}

TEST(Moments, StreamedInAnyPiecesAreThoseOfAllRows) {
  const Features features = drawn(2500, 3, 1, 1, 1000);  // more than two blocks, far from zero
  Moments pieces(3);
  for (std::size_t first = 0, size = 3; first < features.values.size(); size = size % 97 * 3 + 3) {
    const std::size_t count = std::min(size, features.values.size() - first);
    pieces.add(std::span(features.values).subspan(first, count));
    first += count;
  }
  EXPECT_EQ(pieces.count(), 2500);
  const Moments whole = moments_of(features);
  EXPECT_EQ(pieces.mean(), whole.mean());
  EXPECT_EQ(pieces.covariance(), whole.covariance());
  std::vector<double> mean(3), covariance(9);
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    mean[i % 3] += features.values[i] / 2500.0;
  }
  for (std::int64_t row = 0; row < 2500; ++row) {
    for (std::size_t i = 0; i < 9; ++i) {
      covariance[i] += (features.row(row)[i / 3] - mean[i / 3]) * (features.row(row)[i % 3] - mean[i % 3]) / 2499;
    }
  }
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_NEAR(whole.covariance()[i], covariance[i], 1e-12) << i;
  }
}

TEST(FrechetDistance, OfDiagonalCovariancesIsThatOfTheirRoots) {
  // 2 rows of 2 axes of 3: each variance is 2 d^2 / 5.
  const FrechetDistance distance = frechet_distance(axes({1, 2, 3}, 0), axes({4, 2, 5}, 1));
  EXPECT_NEAR(distance.value, 3 + 0.4 * (9 + 0 + 4), 1e-12);
  EXPECT_TRUE(distance.has_full_rank);
}

TEST(FrechetDistance, IsRightWhereCovariancesLackRank) {
  // Of the axes of variance 0 nothing is left but the other's variance.
  const FrechetDistance distance = frechet_distance(axes({1, 0, 3, 0}, 0), axes({0, 2, 5, 0}, 2));
  EXPECT_NEAR(distance.value, 4 * 4 + 2.0 / 7 * (1 + 4 + 4), 1e-12);
  EXPECT_FALSE(distance.has_full_rank);
  EXPECT_EQ(distance.rank_a, 2);
  EXPECT_EQ(distance.rank_b, 2);
}

TEST(FrechetDistance, OfFewRowsTurnedInAWideSpaceIsThatOfTheRows) {
  // Rows of 3 numbers, and the same turned into 40 by an orthogonal map: reflections at two drawn vectors.
  const Features narrow_a = drawn(9, 3, 5), narrow_b = drawn(12, 3, 6, 2, 1);
  const auto widened = [](const Features& narrow) {
    Features wide{40, {}};
    for (std::int64_t row = 0; row < narrow.count(); ++row) {
      std::vector<double> values(40);
      std::copy_n(narrow.row(row).begin(), 3, values.begin());
      for (const std::uint64_t seed : {7, 8}) {
        const Features mirror = drawn(1, 40, seed, 2, -1);
        double dot = 0, square = 0;
        for (std::size_t i = 0; i < 40; ++i) {
          dot += mirror.values[i] * values[i];
          square += static_cast<double>(mirror.values[i]) * mirror.values[i];
        }
        for (std::size_t i = 0; i < 40; ++i) {
          values[i] -= 2 * dot / square * mirror.values[i];
        }
      }
      wide.values.insert(wide.values.end(), values.begin(), values.end());
    }
    return wide;
  };
  const FrechetDistance narrow = frechet_distance(moments_of(narrow_a), moments_of(narrow_b));
  const FrechetDistance wide = frechet_distance(moments_of(widened(narrow_a)), moments_of(widened(narrow_b)));
  EXPECT_NEAR(wide.value, narrow.value, 2e-6 * narrow.value);  // the wide rows are rounded to float
  EXPECT_TRUE(narrow.has_full_rank);
  EXPECT_FALSE(wide.has_full_rank);
}

TEST(FrechetDistance, OfASetFromItselfIsZero) {
  const Moments moments = moments_of(drawn(100, 20, 3));
  EXPECT_LT(frechet_distance(moments, moments).value, 1e-12);
  const Moments still = moments_of({4, std::vector<float>(40, 7.0F)});  // identical pictures
  EXPECT_LT(frechet_distance(still, still).value, 1e-30);
}

TEST(KernelDistance, IsTheFormulaOfTwoRows) {
  // k(x, y) = (x y + 1)^3 of one number: a = {0, 1}, b = {1, 2}.
  const double expected = 1 + 27 - 2 * (1 + 1 + 8 + 27) / 4.0;
  const KernelDistance distance = kernel_distance({1, {0, 1}}, {1, {1, 2}});
  EXPECT_DOUBLE_EQ(distance.value, expected);
  EXPECT_EQ(distance.subsets, 0);  // there is no smaller set of two
}

TEST(KernelDistance, IsUnbiasedAndDoesNotDependOnThreads) {
  const Features a = drawn(600, 8, 1), b = drawn(500, 8, 2);
  const KernelDistance one = kernel_distance(a, b, 1), three = kernel_distance(a, b, 3);
  EXPECT_EQ(one.value, three.value);
  EXPECT_EQ(one.spread, three.spread);
  EXPECT_EQ(one.subset, 250);
  EXPECT_GT(one.spread, 0);
  EXPECT_LT(std::abs(one.value), 3 * one.spread);  // of one distribution
  EXPECT_GT(kernel_distance(a, drawn(500, 8, 2, 1, 0.3F)).value, 20 * one.spread);
}

TEST(PrecisionRecall, OfRowsOnALine) {
  // Real at 0..9, generated at 100 and 5 more of 4.5: balls of k = 3 and 5 reach 2 or 3, at the ends 3 or 5.
  Features real{1, {}}, generated{1, {100, 4.5F, 4.5F, 4.5F, 4.5F, 4.5F}};
  for (int i = 0; i < 10; ++i) {
    real.values.push_back(static_cast<float>(i));
  }
  const PrecisionRecall result = precision_recall(real, generated, 1);
  EXPECT_DOUBLE_EQ(result.precision, 5.0 / 6);
  EXPECT_DOUBLE_EQ(result.recall, 0.5);  // the ball of the generated row at 100 reaches to 4.5
  // In the balls of 5: those of 0 and 9 reach 5, of 1 and 8 four, of the others three: all but none hold 4.5.
  EXPECT_DOUBLE_EQ(result.density, 10.0 * 5 / (5 * 6));
  EXPECT_DOUBLE_EQ(result.coverage, 1);
}

TEST(PrecisionRecall, OfIdenticalPictures) {
  const Features real = drawn(30, 6, 9);
  Features one{6, {}};
  for (int i = 0; i < 30; ++i) {
    one.values.insert(one.values.end(), real.values.begin(), real.values.begin() + 6);
  }
  const PrecisionRecall collapsed = precision_recall(real, one);
  EXPECT_DOUBLE_EQ(collapsed.precision, 1);
  EXPECT_DOUBLE_EQ(collapsed.recall, 1.0 / 30);
  EXPECT_LT(collapsed.coverage, 0.5);
  EXPECT_DOUBLE_EQ(precision_recall(one, one).coverage, 1);
}

TEST(Distances, OfEqualRowsAreExactlyZeroFarFromTheCentre) {
  const Features far = drawn(40, 33, 4, 1, 1e4F);
  NearestRows nearest(far, std::vector<double>(33), 2);
  nearest.add(drawn(7, 33, 5, 1, 1e4F), 0);
  nearest.add(far, 7);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(nearest.nearest()[i].squared, 0);
    EXPECT_EQ(nearest.nearest()[i].row, static_cast<std::int64_t>(i) + 7);
  }
}

TEST(Distances, RadiiAreThoseOfTheSortedDistances) {
  const Features rows = drawn(300, 5, 11);  // more than a block
  const DistanceRows all(rows, mean_row(rows));
  const std::vector<int> ks = {1, 4};
  const auto radii = squared_radii(all, ks, 2);
  for (const std::int64_t i : {0, 150, 299}) {
    std::vector<double> distances;
    for (std::int64_t j = 0; j < 300; ++j) {
      double sum = 0;
      for (std::size_t c = 0; c < 5; ++c) {
        sum += std::pow(static_cast<double>(rows.row(i)[c]) - rows.row(j)[c], 2);
      }
      distances.push_back(j == i ? 1e9 : sum);
    }
    std::sort(distances.begin(), distances.end());
    EXPECT_NEAR(radii[0][static_cast<std::size_t>(i)], distances[0], 1e-12);
    EXPECT_NEAR(radii[1][static_cast<std::size_t>(i)], distances[3], 1e-12);
  }
}

TEST(ClassScore, OfSureAndUnsureRows) {
  EXPECT_NEAR(class_score({4, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}}), 4, 1e-12);
  EXPECT_NEAR(class_score({2, {0.5F, 0.5F, 0.5F, 0.5F}}), 1, 1e-12);
  EXPECT_NEAR(class_score({2, {1, 0, 0.5F, 0.5F}}),
              std::exp((std::log(1 / 0.75) + 0.5 * std::log(0.5 / 0.75) + 0.5 * std::log(0.5 / 0.25)) / 2), 1e-12);
}

TEST(ClassScore, ModesAreCountedAndCompared) {
  const auto counts = called_counts({3, {0.9F, 0.1F, 0, 0.2F, 0.1F, 0.7F, 0.8F, 0.2F, 0}});
  EXPECT_EQ(counts, (std::vector<std::int64_t>{2, 0, 1}));
  const std::vector<std::int64_t> even = {10, 10, 10}, one = {30, 0, 0};
  EXPECT_EQ(mode_divergence(even, even), 0);
  EXPECT_NEAR(mode_divergence(one, even), 30.5 / 31.5 * std::log(30.5 / 10.5) + 2 * (0.5 / 31.5) * std::log(0.5 / 10.5),
              1e-12);
}

TEST(PictureSpread, WithinClassesAndOverAll) {
  PictureSpread spread(2, 2);
  for (const auto& [picture, label] : std::vector<std::pair<std::vector<std::uint8_t>, std::size_t>>{
           {{0, 10}, 0}, {{4, 10}, 0}, {{200, 1}, 1}, {{200, 7}, 1}, {{200, 4}, 1}}) {
    spread.add(picture, label);
  }
  EXPECT_DOUBLE_EQ(spread.within(0), 2);
  EXPECT_DOUBLE_EQ(spread.within(1), std::sqrt(6.0));
  const double first = (16 + 3 * 40000) / 5.0 - std::pow(604 / 5.0, 2);
  const double second = (100 + 100 + 1 + 49 + 16) / 5.0 - std::pow(32 / 5.0, 2);
  EXPECT_NEAR(spread.over_all(), std::sqrt(first + second), 1e-9);
}

TEST(PictureSimilarity, OfEqualOppositeAndFlatPictures) {
  Picture a{24, 20, 1, {}}, b{24, 20, 1, {}};
  for (int i = 0; i < 24 * 20; ++i) {
    a.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
    b.pixels.push_back(static_cast<std::uint8_t>(255 - i * 37 % 256));
  }
  EXPECT_EQ(psnr(a, a), std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(ssim(a, a), 1);
  EXPECT_DOUBLE_EQ(ms_ssim(a, a, 1), 1);
  EXPECT_LT(ssim(a, b), 0);
  const Picture grey{16, 16, 1, std::vector<std::uint8_t>(256, 100)};
  const Picture lighter{16, 16, 1, std::vector<std::uint8_t>(256, 110)};
  const double c1 = 2.55 * 2.55;
  EXPECT_NEAR(ssim(grey, lighter), (2 * 100 * 110 + c1) / (100 * 100 + 110 * 110 + c1), 1e-9);
  EXPECT_NEAR(psnr(grey, lighter), 20 * std::log10(25.5), 1e-9);
}

TEST(Colourfulness, OfGreyOneColourAndTwo) {
  EXPECT_EQ(colourfulness({2, 2, 3, std::vector<std::uint8_t>(12, 77)}), 0);
  // Red alone: rg = 255, yb = 127.5, and no deviation.
  EXPECT_NEAR(colourfulness({1, 2, 3, {255, 0, 0, 255, 0, 0}}), 0.3 * std::hypot(255.0, 127.5), 1e-9);
  // Red beside blue: rg 255 and 0, yb 127.5 and -255.
  const double wanted = std::hypot(127.5, 191.25) + 0.3 * std::hypot(127.5, 63.75);
  EXPECT_NEAR(colourfulness({1, 2, 3, {255, 0, 0, 0, 0, 255}}), wanted, 1e-9);
  EXPECT_NEAR(colourfulness({1, 2, 4, {255, 0, 0, 9, 0, 0, 255, 8}}), wanted, 1e-9);
}

TEST(PictureSimilarity, AsManyScalesAsFit) {
  EXPECT_EQ(ms_ssim_scales(10, 64), 0);
  EXPECT_EQ(ms_ssim_scales(28, 28), 2);
  EXPECT_EQ(ms_ssim_scales(64, 64), 3);
  EXPECT_EQ(ms_ssim_scales(175, 400), 4);
  EXPECT_EQ(ms_ssim_scales(400, 400), 5);
}

TEST(RowBlocks, WhatACallThrowsReachesTheCaller) {
  EXPECT_THROW(
      for_row_blocks(10, 3, 2,
                     [](std::int64_t block, std::int64_t, std::int64_t) { check(block != 2, "block {}", block); }),
      Error);
}

}  // namespace
}  // namespace duel::test
