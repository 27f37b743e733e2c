// What a trial of a vendor's kernel is given, and what it notices.
#include "kernels/cuda/vendor_trial.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace duel::test {

namespace {

constexpr std::int64_t kMany = 2'500'000;

std::vector<std::byte> values(DType type, std::int64_t count, std::size_t array = 0) {
  TrialValues trial;
  return trial.bytes({nullptr, {static_cast<int>(count)}, type}, array);
}

// With one element made another.
std::vector<std::byte> with(std::vector<std::byte> bytes, DType type, std::int64_t i, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if (type == DType::bf16) {
    const auto upper = static_cast<std::uint16_t>(bits >> 16);
    std::memcpy(bytes.data() + 2 * i, &upper, sizeof upper);
  } else {
    std::memcpy(bytes.data() + 4 * i, &value, sizeof value);
  }
  return bytes;
}

TEST(VendorTrialTest, ADifferenceIsNoticedWhereverItIs) {
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const std::int64_t count : {std::int64_t{1}, std::int64_t{17}, std::int64_t{4097}, kMany}) {
      const std::vector<std::byte> expected = values(type, count);
      EXPECT_EQ(difference(expected, expected, type, 1e-6), "");
      for (const std::int64_t i : {std::int64_t{0}, count / 2, count - 1}) {
        for (const float wrong : {3.0F, std::numeric_limits<float>::quiet_NaN(), INFINITY}) {
          EXPECT_NE(difference(with(expected, type, i, wrong), expected, type, 1e-2), "") << count << " " << i;
        }
      }
    }
  }
}

TEST(VendorTrialTest, RoundingIsForgiven) {
  const std::vector<std::byte> expected = values(DType::f32, kMany);
  std::vector<std::byte> got = expected;
  for (std::int64_t i = 0; i < kMany; ++i) {
    float value = 0;
    std::memcpy(&value, got.data() + 4 * i, 4);
    value *= i % 2 == 0 ? 1.001F : 0.999F;
    std::memcpy(got.data() + 4 * i, &value, 4);
  }
  EXPECT_EQ(difference(got, expected, DType::f32, 2e-3), "");
  EXPECT_EQ(difference(got, expected, DType::f32, 5e-4), "differs from ours by 1.0e-03");
}

TEST(VendorTrialTest, ValuesAreRepeatedWithoutRowsThatAreAlike) {
  const std::vector<std::byte> many = values(DType::f32, kMany);
  const auto is_same = [&](std::int64_t a, std::int64_t b) {
    return std::memcmp(many.data() + 4 * a, many.data() + 4 * b, 400) == 0;
  };
  EXPECT_TRUE(is_same(0, 1'000'003));
  for (std::int64_t columns = 1024; columns <= 1 << 20; columns *= 2) {
    EXPECT_FALSE(is_same(0, columns)) << columns;
    EXPECT_FALSE(is_same(0, (1 << 20) / columns * columns)) << columns;
  }
  EXPECT_NE(values(DType::f32, 100, 0), values(DType::f32, 100, 1));
  TrialValues few;  // an array is the same whatever was asked for before
  few.bytes({nullptr, {5}, DType::f32}, 0);
  EXPECT_EQ(few.bytes({nullptr, {2000}, DType::bf16}, 3), values(DType::bf16, 2000, 3));
}

}  // namespace

}  // namespace duel::test
