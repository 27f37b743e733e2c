#include "host/metrics/kernel_distance.h"

#include "host/metrics/linear_algebra.h"
#include "host/metrics/row_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>

namespace duel {

namespace {

constexpr std::int64_t kProductRows = 256;  // rows whose products with all others are made at once
constexpr std::uint64_t kSeed = 2018;

struct Rows {
  std::vector<double> values;
  std::int64_t count = 0;
};

Rows to_double(const Features& features) {
  return {{features.values.begin(), features.values.end()}, features.count()};
}

Rows drawn_rows(const Rows& from, std::int64_t width, std::int64_t count, std::mt19937_64& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(from.count));
  std::iota(order.begin(), order.end(), 0);
  Rows rows{{}, count};
  rows.values.reserve(static_cast<std::size_t>(count * width));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto left = static_cast<std::uint64_t>(from.count - i);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(i) + random() % left]);
    const auto begin = from.values.begin() + order[static_cast<std::size_t>(i)] * width;
    rows.values.insert(rows.values.end(), begin, begin + width);
  }
  return rows;
}

// The sum of the kernel over all pairs; of a set with itself, without those of a row with itself.
double kernel_sum(const Rows& a, const Rows& b, std::int64_t width, int threads) {
  const bool is_same = &a == &b;
  std::vector<double> sums(static_cast<std::size_t>(row_block_count(a.count, kProductRows)));
  for_row_blocks(a.count, kProductRows, threads, [&](std::int64_t block, std::int64_t first, std::int64_t end) {
    std::vector<double> products(static_cast<std::size_t>((end - first) * b.count));
    row_products(a.values.data() + first * width, end - first, b.values.data(), b.count, width, products.data());
    double sum = 0;
    for (std::int64_t i = 0; i < end - first; ++i) {
      for (std::int64_t j = 0; j < b.count; ++j) {
        const double k = products[static_cast<std::size_t>(i * b.count + j)] / static_cast<double>(width) + 1;
        sum += is_same && first + i == j ? 0 : k * k * k;
      }
    }
    sums[static_cast<std::size_t>(block)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double discrepancy(const Rows& a, const Rows& b, std::int64_t width, int threads) {
  const auto m = static_cast<double>(a.count), n = static_cast<double>(b.count);
  return kernel_sum(a, a, width, threads) / (m * (m - 1)) + kernel_sum(b, b, width, threads) / (n * (n - 1)) -
         2 * kernel_sum(a, b, width, threads) / (m * n);
}

}  // namespace

KernelDistance kernel_distance(const Features& a, const Features& b, int threads) {
  check_comparable(a, b);
  check(a.count() > 1 && b.count() > 1, "kernel distance: {} and {} rows, where two of each are needed", a.count(),
        b.count());
  const Rows rows_a = to_double(a), rows_b = to_double(b);
  KernelDistance distance;
  distance.value = discrepancy(rows_a, rows_b, a.width, threads);
  const std::int64_t subset = std::min({a.count() / 2, b.count() / 2, kKernelSubset});
  if (subset < 2) {
    return distance;
  }
  distance.subset = subset;
  distance.subsets = kKernelSubsets;
  std::mt19937_64 random(kSeed);
  std::vector<double> values;
  for (std::int64_t i = 0; i < kKernelSubsets; ++i) {
    const Rows some_a = drawn_rows(rows_a, a.width, subset, random);
    const Rows some_b = drawn_rows(rows_b, a.width, subset, random);
    values.push_back(discrepancy(some_a, some_b, a.width, threads));
  }
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(kKernelSubsets);
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  distance.spread = std::sqrt(squares / static_cast<double>(kKernelSubsets - 1));
  return distance;
}

}  // namespace duel
