// What the cases of matmul do not show of the CPU's way for long extents: results that are written past the caches,
// which are too large for every backend's cases, and arrays that do not begin on a line, as gradients in a block of
// parameters.
#include "kernels/matmul.h"
#include "kernels/memory.h"

#include "tests/support/whole_numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace duel::test {

namespace {

struct Problem {
  int m, n, k;
  Matmul matmul;
};

// The largest distance from the plain sums; 1e9 where something beside y was written.
double worst(const Problem& p, int threads, int offset) {
  Context context = Context::cpu(threads);
  const auto count = [](int rows, int columns) { return static_cast<std::size_t>(rows) * columns; };
  std::vector<float> a = whole_numbers(std::int64_t{p.m} * p.k), b = whole_numbers(std::int64_t{p.k} * p.n, 77);
  constexpr float kUntouched = 12345;
  constexpr std::size_t kAround = 32;
  Buffer memory(context, (count(p.m, p.n) + 2 * kAround) * sizeof(float));
  auto* const begin = static_cast<float*>(memory.data());
  float* const y = begin + 16 + offset;
  std::fill_n(begin, count(p.m, p.n) + 2 * kAround, kUntouched);
  matmul(context, p.matmul, {a.data(), p.matmul.transpose_a ? Shape{p.k, p.m} : Shape{p.m, p.k}, DType::f32},
         {b.data(), p.matmul.transpose_b ? Shape{p.n, p.k} : Shape{p.k, p.n}, DType::f32}, {},
         {y, {p.m, p.n}, DType::f32});
  double distance = 0;
  std::vector<double> row(static_cast<std::size_t>(p.n));
  for (int i = 0; i < p.m; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    for (int step = 0; step < p.k; ++step) {
      const double left = p.matmul.transpose_a ? a[count(step, p.m) + i] : a[count(i, p.k) + step];
      for (int j = 0; j < p.n; ++j) {
        row[static_cast<std::size_t>(j)] +=
            left * (p.matmul.transpose_b ? b[count(j, p.k) + step] : b[count(step, p.n) + j]);
      }
    }
    for (int j = 0; j < p.n; ++j) {
      distance = std::max(distance, std::abs(row[static_cast<std::size_t>(j)] - y[count(i, p.n) + j]));
    }
  }
  const bool is_intact = y[-1] == kUntouched && y[count(p.m, p.n)] == kUntouched;
  return is_intact ? distance : 1e9;
}

TEST(MatmulLong, ResultsPastTheCachesAreWhole) {
  for (const int threads : {1, 2, 3}) {
    EXPECT_EQ(worst({131072 + 9, 32, 33, {true, false, {}}}, threads, 0), 0) << threads;
    EXPECT_EQ(worst({33, 131072 + 16, 32, {false, true, {}}}, threads, 0), 0) << threads;
  }
}

TEST(MatmulLong, ArraysNeedNotBeginOnALine) {
  for (const int offset : {1, 4, 15}) {
    EXPECT_EQ(worst({131072 + 9, 32, 33, {true, false, {}}}, 2, offset), 0) << offset;
    EXPECT_EQ(worst({40, 64, 4099, {false, false, {}}}, 2, offset), 0) << offset;
  }
}

// More threads than the long extent has vectors: none has an empty part, whose sums nobody would write.
TEST(MatmulLong, AnyNumberOfThreads) {
  for (const int threads : {5, 33, 300}) {
    EXPECT_EQ(worst({32, 32, 4096, {false, false, {}}}, threads, 0), 0) << threads;
    EXPECT_EQ(worst({4096, 32, 32, {true, false, {}}}, threads, 0), 0) << threads;
    EXPECT_EQ(worst({32, 4096, 32, {false, true, {}}}, threads, 0), 0) << threads;
  }
}

}  // namespace

}  // namespace duel::test
