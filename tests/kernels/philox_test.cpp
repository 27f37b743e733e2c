// The generator against the known answers of Random123, and what is built on it.
#include "kernels/philox.h"

#include "tests/reference/random.h"

#include <gtest/gtest.h>

#include <vector>

namespace duel::test {

namespace {

// philox4x32-10 in tests/kat_vectors of Random123.
TEST(PhiloxTest, KnownAnswers) {
  const struct {
    PhiloxBlock counter;
    std::uint32_t key0, key1;
    PhiloxBlock expected;
  } vectors[] = {
      {{0, 0, 0, 0}, 0, 0, {0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}},
      {{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
       0xFFFFFFFF,
       0xFFFFFFFF,
       {0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}},
      {{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344},
       0xA4093822,
       0x299F31D0,
       {0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}},
  };
  for (const auto& v : vectors) {
    EXPECT_EQ(philox(v.counter, v.key0, v.key1), v.expected);
  }
}

TEST(PhiloxTest, PlacesOfSeedPurposeStepAndBlock) {
  const PhiloxBlock direct = philox({9, 3, 0x55667788, 0x11223344}, 0xDDEEFF00, 0x99AABBCC);
  EXPECT_EQ(philox(0x99AABBCCDDEEFF00U, Purpose::g_latents, 0x1122334455667788U, 9), direct);
}

// The numbers are part of the format of checkpoints.
TEST(PhiloxTest, PurposesKeepTheirNumbers) {
  EXPECT_EQ(static_cast<int>(Purpose::initial_weights), 1);
  EXPECT_EQ(static_cast<int>(Purpose::d_latents), 2);
  EXPECT_EQ(static_cast<int>(Purpose::g_latents), 3);
  EXPECT_EQ(static_cast<int>(Purpose::d_reals), 4);
  EXPECT_EQ(static_cast<int>(Purpose::g_reals), 5);
  EXPECT_EQ(static_cast<int>(Purpose::sample_latents), 6);
  EXPECT_EQ(static_cast<int>(Purpose::interpolation), 7);
}

TEST(PhiloxTest, UnitFloatsLieInsideTheInterval) {
  EXPECT_EQ(unit_float(0), 0x1p-24F);
  EXPECT_EQ(unit_float(0xFFFFFFFF), 1 - 0x1p-24F);
  EXPECT_GT(unit_float(0), 0.0F);
  EXPECT_LT(unit_float(0xFFFFFFFF), 1.0F);
  for (const std::uint32_t bits : {0U, 511U, 512U, 0x80000000U, 0x12345678U, 0xFFFFFFFFU}) {
    EXPECT_EQ(static_cast<double>(unit_float(bits)), reference::unit(bits)) << bits;
  }
}

TEST(PhiloxTest, PermuteIndexIsABijection) {
  for (const std::uint32_t count : {1U, 2U, 3U, 4U, 5U, 7U, 16U, 17U, 33U, 1000U, 60000U}) {
    for (const std::uint64_t epoch : {0U, 1U, 2U}) {
      const PhiloxBlock key = philox(1, Purpose::d_reals, epoch, 0);
      std::vector<int> seen(count, 0);
      for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t index = permute_index(key, count, i);
        ASSERT_LT(index, count);
        ASSERT_EQ(++seen[index], 1) << index << " comes twice of " << count << " in epoch " << epoch;
      }
    }
  }
}

TEST(PhiloxTest, PermutationsDifferByEpochAndMixWell) {
  constexpr std::uint32_t kCount = 1000;
  const PhiloxBlock first = philox(1, Purpose::d_reals, 0, 0), second = philox(1, Purpose::d_reals, 1, 0);
  int same = 0, fixed = 0, neighbours = 0;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const std::uint32_t index = permute_index(first, kCount, i);
    same += index == permute_index(second, kCount, i);
    fixed += index == i;
    neighbours += permute_index(first, kCount, (i + 1) % kCount) == (index + 1) % kCount;
  }
  // Each is Poisson with mean 1 for random permutations.
  EXPECT_LT(same, 10);
  EXPECT_LT(fixed, 10);
  EXPECT_LT(neighbours, 10);
}

TEST(PhiloxTest, NormalMoments) {
  constexpr int kCount = 200000;
  const std::vector<double> x = reference::random_normal({1, Purpose::d_latents}, 5, kCount);
  double sum = 0, square = 0, cube = 0, fourth = 0, lag = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i];
    square += x[i] * x[i];
    cube += x[i] * x[i] * x[i];
    fourth += x[i] * x[i] * x[i] * x[i];
    lag += i > 0 ? x[i] * x[i - 1] : 0;
  }
  // Five standard deviations of each mean: sqrt(1, 2, 15, 96, 1 / count).
  const double unit = 5 / std::sqrt(kCount);
  EXPECT_NEAR(sum / kCount, 0, unit);
  EXPECT_NEAR(square / kCount, 1, unit * std::sqrt(2));
  EXPECT_NEAR(cube / kCount, 0, unit * std::sqrt(15));
  EXPECT_NEAR(fourth / kCount, 3, unit * std::sqrt(96));
  EXPECT_NEAR(lag / kCount, 0, unit);
}

TEST(PhiloxTest, UniformMoments) {
  constexpr int kCount = 200000;
  const std::vector<double> x = reference::random_uniform({1, Purpose::interpolation}, 5, kCount);
  double sum = 0, square = 0;
  for (const double value : x) {
    sum += value;
    square += (value - 0.5) * (value - 0.5);
  }
  EXPECT_NEAR(sum / kCount, 0.5, 5 * std::sqrt(1.0 / 12 / kCount));
  EXPECT_NEAR(square / kCount, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / kCount));
}

}  // namespace

}  // namespace duel::test
