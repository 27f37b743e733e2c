// What the cases of conv2d do not show of the CPU's way for 4x4 filters at stride 2, because it takes more channels
// than every backend's cases have: sums that are parted by filters, and tiles that are parted among threads.
#include "kernels/conv2d.h"
#include "kernels/memory.h"

#include "tests/reference/conv2d.h"
#include "tests/support/whole_numbers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace duel::test {

namespace {

constexpr Conv2d kConv{2, 1, 1, 1, 1};

TEST(Conv2dHalving, WeightGradientsAreWholeHoweverTheyAreParted) {
  for (const auto& [C, K] : {std::pair{48, 96}, {16, 272}}) {
    const Shape x{33, 14, 14, C}, dy{33, 7, 7, K}, dw{K, 4, 4, C};
    std::vector<float> a = whole_numbers(x.count()), b = whole_numbers(dy.count(), 77);
    const std::vector<double> expected = reference::conv2d_backward_weight(
        kConv, x, dw, std::vector<double>(a.begin(), a.end()), std::vector<double>(b.begin(), b.end()));
    double largest = 0;
    for (const double value : expected) {
      largest = std::max(largest, std::abs(value));
    }
    for (const int threads : {1, 2, 9}) {
      Context context = Context::cpu(threads);
      std::vector<float> result(expected.size(), NAN);
      conv2d_backward_weight(context, kConv, {a.data(), x, DType::f32}, {b.data(), dy, DType::f32},
                             {result.data(), dw, DType::f32});
      double worst = 0;
      for (std::size_t i = 0; i < result.size(); ++i) {
        const double distance = std::abs(result[i] - expected[i]);
        worst = distance <= worst ? worst : distance;  // a NaN stays
      }
      EXPECT_LT(worst, 1e-5 * largest) << C << " channels, " << K << " filters, " << threads << " threads";
    }
  }
}

}  // namespace

}  // namespace duel::test
