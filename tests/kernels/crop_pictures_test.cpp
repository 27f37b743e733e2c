// Which parts of pictures are taken: each as often as any other, in pairs the same, never the same twice.
#include "kernels/crop_pictures.h"

#include "kernels/memory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace duel::test {
namespace {

TEST(CropPictures, EveryPartIsAsLikelyAsAnyOther) {
  const CropPictures p{{7, Purpose::interpolation}, 3, 3, 2, true, true};
  constexpr int kDraws = 20'000;
  std::map<std::tuple<int, int, bool, bool, bool>, int> counts;
  for (int n = 0; n < kDraws; ++n) {
    const PictureCrop crop =
        picture_crop(p, 10, 9, static_cast<std::uint64_t>(n / 100), static_cast<std::uint32_t>(n % 100));
    ++counts[{crop.top, crop.left, crop.is_mirrored, crop.is_upside_down, crop.is_turned}];
  }
  ASSERT_EQ(counts.size(), 3U * 2U * 8U);  // of 5 and 4 rows and columns at scale 1
  for (const auto& [crop, count] : counts) {
    EXPECT_LE(std::get<0>(crop), 2);
    EXPECT_LE(std::get<1>(crop), 1);
    EXPECT_NEAR(count, kDraws / 48.0, 5 * std::sqrt(kDraws / 48.0));  // five standard deviations
  }
}

TEST(CropPictures, StepsSeedsAndPurposesTakeOtherParts) {
  const auto parts = [](const Random& random, std::uint64_t step) {
    std::vector<int> all;
    for (std::uint32_t n = 0; n < 64; ++n) {
      const PictureCrop crop = picture_crop({random, 4, 4, 1, true, false}, 32, 32, step, n);
      EXPECT_TRUE(!crop.is_turned && !crop.is_upside_down);
      all.insert(all.end(), {crop.top, crop.left, crop.is_mirrored ? 1 : 0});
    }
    return all;
  };
  const std::set<std::vector<int>> different = {parts({7, Purpose::interpolation}, 0),
                                                parts({7, Purpose::interpolation}, 1),
                                                parts({7, Purpose::interpolation}, std::uint64_t{1} << 32),
                                                parts({8, Purpose::interpolation}, 0), parts({7, Purpose::d_reals}, 0)};
  EXPECT_EQ(different.size(), 5U);
}

// Ramps show where each pixel comes from: a small picture's is the mean of the large one's pixels there.
TEST(CropPictures, PairsOfTwoSizesShowTheSamePart) {
  constexpr int kCount = 40, kInputHeight = 12, kInputWidth = 14, kScale = 2, kPart = 5;
  std::vector<float> small, large;
  for (int n = 0; n < kCount; ++n) {
    for (int scale : {1, kScale}) {
      for (int h = 0; h < kInputHeight * scale; ++h) {
        for (int w = 0; w < kInputWidth * scale; ++w) {
          const float row = (static_cast<float>(h) + 0.5F) / static_cast<float>(scale);
          const float column = (static_cast<float>(w) + 0.5F) / static_cast<float>(scale);
          (scale == 1 ? small : large).push_back(100 * row + column);
        }
      }
    }
  }
  Context context = Context::cpu();
  const std::int64_t step = 3;
  const auto cropped = [&](std::vector<float>& pictures, int scale) {
    const CropPictures p{{5, Purpose::interpolation}, kPart, kPart, scale, true, true};
    const Shape shape{kCount, kInputHeight * scale, kInputWidth * scale, 1};
    const Shape output = crop_pictures_output(p, shape);
    std::vector<float> parts(static_cast<std::size_t>(output.count()));
    std::int64_t at = step;
    crop_pictures(context, p, {pictures.data(), shape, DType::f32}, {&at, {1}, DType::i64},
                  {parts.data(), output, DType::f32});
    return parts;
  };
  const std::vector<float> of_small = cropped(small, 1), of_large = cropped(large, kScale);
  const int side = kPart * kScale;
  for (int n = 0; n < kCount; ++n) {
    for (int h = 0; h < kPart; ++h) {
      for (int w = 0; w < kPart; ++w) {
        float sum = 0;
        for (int i = 0; i < kScale; ++i) {
          for (int j = 0; j < kScale; ++j) {
            sum += of_large[(n * side + h * kScale + i) * side + w * kScale + j];
          }
        }
        EXPECT_NEAR(of_small[(n * kPart + h) * kPart + w], sum / (kScale * kScale), 1e-3);
      }
    }
  }
}

}  // namespace
}  // namespace duel::test
