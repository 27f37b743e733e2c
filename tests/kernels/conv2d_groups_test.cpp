// What the cases of conv2d do not show of the CPU's way for groups of channels: results so large that they are written
// past the caches. They are those of the same pictures in two parts, which are not.
#include "kernels/conv2d.h"
#include "kernels/memory.h"

#include "tests/support/whole_numbers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace duel::test {

namespace {

const Conv2d kInGroups = Conv2d::same(3, 4);
const Shape kAll{80, 30, 30, 64}, kHalf{40, 30, 30, 64};  // 18 MB
const Shape kFilters{64, 3, 3, 16};

// `pass` of x to y, in one part and in two.
template <class Pass>
void expect_the_same_in_parts(int threads, int offset, const Pass& pass) {
  Context context = Context::cpu(threads);
  std::vector<float> x = whole_numbers(kAll.count()), w = whole_numbers(kFilters.count(), 77);
  constexpr float kUntouched = 12345;
  constexpr std::size_t kAround = 32;
  const auto count = static_cast<std::size_t>(kAll.count()), half = count / 2;
  Buffer memory(context, (count + 2 * kAround) * sizeof(float));
  auto* const begin = static_cast<float*>(memory.data());
  float* const y = begin + 16 + offset;
  std::fill_n(begin, count + 2 * kAround, kUntouched);
  std::vector<float> parts(count, NAN);
  const View filters{w.data(), kFilters, DType::f32};
  pass(context, View{x.data(), kAll, DType::f32}, filters, View{y, kAll, DType::f32});
  for (const std::size_t first : {std::size_t{0}, half}) {
    pass(context, View{x.data() + first, kHalf, DType::f32}, filters, View{parts.data() + first, kHalf, DType::f32});
  }
  EXPECT_TRUE(std::equal(parts.begin(), parts.end(), y)) << threads << " threads, offset " << offset;
  EXPECT_TRUE(std::all_of(begin, y, [](float value) { return value == kUntouched; }));
  EXPECT_TRUE(std::all_of(y + count, begin + count + 2 * kAround, [](float value) { return value == kUntouched; }));
}

TEST(Conv2dGroups, LargeResultsAreThoseOfTheirParts) {
  for (const int threads : {1, 2}) {
    for (const int offset : {0, 1}) {  // from a line's beginning
      expect_the_same_in_parts(threads, offset, [](Context& context, View x, View w, View y) {
        conv2d_forward(context, kInGroups, {}, x, w, {}, y);
      });
      expect_the_same_in_parts(threads, offset, [](Context& context, View x, View w, View y) {
        conv2d_backward_input(context, kInGroups, x, w, y);
      });
    }
  }
}

}  // namespace

}  // namespace duel::test
