// The kernels of duel_probe: what a rate counts must really be read and multiplied.
#include "profiling/probe_kernels.cuh"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

namespace duel {

namespace {

TEST(Probe, EveryPassReadsEveryWordOnce) {
  constexpr int kBlocks = 4, kVectors = 2 * kBlocks * kProbeThreads * kLoads, kPasses = 5;
  std::vector<std::uint32_t> words(4 * std::size_t{kVectors});
  emulator::launch(fill_kernel, dim3(3), dim3(kProbeThreads), 0, nullptr, words.data(),
                   static_cast<std::int64_t>(words.size()));
  const std::uint32_t all = std::accumulate(words.begin(), words.end(), 0U);
  for (const auto kernel : {&read_kernel<true>, &read_kernel<false>}) {
    std::vector<std::uint32_t> seen(std::size_t{kBlocks} * kProbeThreads);
    emulator::launch(kernel, dim3(kBlocks), dim3(kProbeThreads), 0, nullptr,
                     reinterpret_cast<const uint4*>(words.data()), kVectors, kPasses, seen.data());
    EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0U), kPasses * all);
  }
}

float value_of(std::uint32_t bits) {
  bits <<= 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

TEST(Probe, WordsAreTwoNumbersBetweenOneAndTwoOfEitherSign) {
  int negative = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    for (const std::uint32_t half : {probe_word(i) & 0xFFFF, probe_word(i) >> 16}) {
      const float value = value_of(half);
      EXPECT_TRUE(std::fabs(value) >= 1 && std::fabs(value) < 2) << value;
      negative += value < 0 ? 1 : 0;
    }
  }
  EXPECT_NEAR(negative, 1000, 100);
}

// The sum of all elements of a [16, 16] b [16, 8], which a warp's lanes add up to in each round and for each sum.
TEST(Probe, EachRoundAddsEightProducts) {
  constexpr int kRounds = 3;
  double product = 0;
  for (std::uint32_t k = 0; k < 16; ++k) {
    double column = 0, row = 0;
    const auto half = [](std::uint32_t word, std::uint32_t which) {
      return double{value_of(word >> (16 * which) & 0xFFFF)};
    };
    const std::uint32_t t = k % 8 / 2;  // the lanes 4g + t hold column k of a and row k of b
    for (std::uint32_t g = 0; g < 8; ++g) {
      const std::uint32_t lane = 4 * g + t, upper = k / 8;
      for (std::uint32_t r : {2 * upper, 2 * upper + 1}) {
        column += half(probe_word(6 * lane + r), k % 2);
      }
      row += half(probe_word(6 * lane + 4 + upper), k % 2);
    }
    product += column * row;
  }
  std::vector<float> seen(kProbeThreads);
  emulator::launch(mma_kernel, dim3(1), dim3(kProbeThreads), 0, nullptr, kRounds, seen.data());
  const double sum = std::accumulate(seen.begin(), seen.begin() + 32, 0.0);
  EXPECT_NEAR(sum, kRounds * kSums * product, 1e-3 * kRounds * kSums * std::fabs(product) + 0.1);
  EXPECT_NE(product, 0);
}

TEST(Probe, OverlappedKernelsEnd) {
  emulator::launch(empty_kernel, dim3(2), dim3(kProbeThreads), 0, nullptr);
  emulator::launch(overlapped_kernel, dim3(2), dim3(kProbeThreads), 0, nullptr);
}

}  // namespace

}  // namespace duel
