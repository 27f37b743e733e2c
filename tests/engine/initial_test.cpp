#include "engine/nn/initial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace duel::test {
namespace {

std::vector<double> drawn(const Initial& initial, const Shape& shape, std::uint64_t seed = 1,
                          std::uint64_t stream = 0) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()), NAN);
  draw_initial(initial, shape, seed, stream, values.data());
  return {values.begin(), values.end()};
}

struct Moments {
  double mean = 0, variance = 0, fourth = 0, largest = 0;
};

Moments moments_of(const std::vector<double>& values) {
  Moments m;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) {
    m.mean += value / count;
    m.variance += value * value / count;
    m.fourth += std::pow(value, 4) / count;
    m.largest = std::max(m.largest, std::fabs(value));
  }
  return m;
}

TEST(Initial, ConstantsAreConstant) {
  EXPECT_EQ(drawn(Initial::zeros(), {7}), std::vector<double>(7, 0.0));
  EXPECT_EQ(drawn({}, {7}), std::vector<double>(7, 0.0));
  EXPECT_EQ(drawn(Initial::ones(), {3, 5}), std::vector<double>(15, 1.0));
  EXPECT_EQ(drawn(Initial::constant(-0.5), {1}), std::vector<double>(1, -0.5));
}

TEST(Initial, UniformsHaveTheirBounds) {
  const auto expect_bound = [](const Initial& initial, double bound) {
    const Moments m = moments_of(drawn(initial, {301, 101}));
    EXPECT_LE(m.largest, bound * (1 + 1e-7));
    EXPECT_GT(m.largest, 0.999 * bound);
    EXPECT_NEAR(m.mean, 0, 4 * bound / std::sqrt(3.0 * 30401));
    EXPECT_NEAR(m.variance, bound * bound / 3, 0.02 * bound * bound / 3);
  };
  expect_bound(Initial::uniform(3), 3);
  expect_bound(Initial::glorot(300, 100), std::sqrt(6.0 / 400));
  expect_bound(Initial::pytorch(25), 0.2);
}

TEST(Initial, ANormalMayHaveAnotherMean) {
  const std::vector<double> about_zero = drawn(Initial::normal(0.02), {301}),
                            about_one = drawn(Initial::normal(0.02, 1), {301});
  for (std::size_t i = 0; i < about_one.size(); ++i) {
    EXPECT_NEAR(about_one[i], 1 + about_zero[i], 1e-7);
  }
}

TEST(Initial, NormalsHaveTheirDeviation) {
  const auto expect_deviation = [](const Initial& initial, double deviation) {
    const Moments m = moments_of(drawn(initial, {301, 101}));
    const double variance = deviation * deviation;
    EXPECT_NEAR(m.mean, 0, 4 * deviation / std::sqrt(30401.0));
    EXPECT_NEAR(m.variance, variance, 0.03 * variance);
    EXPECT_NEAR(m.fourth, 3 * variance * variance, 0.2 * variance * variance);  // a normal's, not a uniform's 1.8
  };
  expect_deviation(Initial::normal(0.02), 0.02);
  expect_deviation(Initial::he(50), 0.2);
  expect_deviation(Initial::he(50, 1), std::sqrt(0.02));
}

TEST(Initial, OrthogonalRowsOrColumnsAreOrthonormal) {
  for (const Shape& shape : {Shape{5, 33}, {33, 5}, {16, 16}, {4, 3, 3, 2}, {1, 7}, {40, 2, 2, 3}}) {
    const std::vector<double> w = drawn(Initial::orthogonal(1.5), shape);
    const int rows = shape[0], columns = static_cast<int>(shape.row_count());
    const int vectors = std::min(rows, columns), length = std::max(rows, columns);
    const auto element = [&](int vector, int i) {
      return w[static_cast<std::size_t>(rows <= columns ? vector * columns + i : i * columns + vector)];
    };
    for (int a = 0; a < vectors; ++a) {
      for (int b = 0; b <= a; ++b) {
        double product = 0;
        for (int i = 0; i < length; ++i) {
          product += element(a, i) * element(b, i);
        }
        EXPECT_NEAR(product, a == b ? 2.25 : 0.0, 1e-6) << a << " and " << b << " of " << to_string(shape);
      }
    }
  }
}

TEST(Initial, SeedsAndStreamsDrawApart) {
  for (const Initial& initial : {Initial::uniform(1), Initial::normal(1), Initial::orthogonal()}) {
    const std::vector<double> base = drawn(initial, {5, 7});
    EXPECT_EQ(base, drawn(initial, {5, 7}));
    EXPECT_NE(base, drawn(initial, {5, 7}, 2));
    EXPECT_NE(base, drawn(initial, {5, 7}, 1, 1));
  }
}

}  // namespace
}  // namespace duel::test
