// Pictures at another size are Pillow's: its bytes for a small picture stand here, as it made them.
#include "host/pictures/resample.h"
#include "tests/support/noise_picture.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace duel {
namespace {

void expect_within_one(const Picture& found, const std::vector<int>& wanted) {
  ASSERT_EQ(found.pixels.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_LE(std::abs(found.pixels[i] - wanted[i]), 1) << "byte " << i << " is " << int{found.pixels[i]};
  }
}

TEST(Resample, ReducesByLanczosAsPillowDoes) {
  expect_within_one(
      resampled(test::noise_picture(23, 17, 3), {5, 4}, ResampleFilter::lanczos),
      {143, 105, 140, 114, 129, 148, 122, 136, 132, 111, 163, 110, 116, 122, 134, 146, 102, 139, 157, 113,
       132, 128, 129, 130, 147, 148, 127, 140, 141, 124, 166, 144, 113, 150, 111, 149, 107, 139, 128, 128,
       119, 121, 135, 139, 126, 121, 95,  139, 119, 110, 118, 89,  122, 114, 120, 114, 118, 125, 109, 128});
}

TEST(Resample, ReducesByBicubicAsPillowDoes) {
  expect_within_one(resampled(test::noise_picture(12, 16, 1), {6, 8}, ResampleFilter::bicubic),
                    {85,  174, 166, 116, 135, 116, 125, 105, 126, 156, 147, 95,  156, 156, 147, 154,
                     157, 157, 152, 122, 165, 116, 144, 143, 124, 168, 118, 136, 107, 149, 157, 145,
                     114, 150, 114, 143, 133, 124, 115, 130, 66,  99,  129, 96,  95,  65,  87,  113});
}

TEST(Resample, ReducesAndEnlargesByBilinearAsPillowDoes) {
  expect_within_one(resampled(test::noise_picture(9, 7, 1), {4, 3}, ResampleFilter::bilinear),
                    {107, 143, 149, 133, 113, 144, 139, 110, 153, 147, 159, 153});
  expect_within_one(resampled(test::noise_picture(3, 4, 1), {4, 9}, ResampleFilter::bilinear),
                    {5,   5,   4,   12, 72, 131, 148, 158, 162, 147, 126, 68,  25,  75,  125, 137, 146, 148,
                     202, 184, 135, 92, 88, 84,  112, 146, 159, 152, 160, 181, 189, 105, 21,  80,  160, 190});
}

TEST(Resample, EnlargesByBicubicAsPillowDoes) {
  expect_within_one(
      resampled(test::noise_picture(3, 4, 3), {4, 9}, ResampleFilter::bicubic),
      {0,   0,   148, 12,  31,  122, 100, 154, 55,  168, 242, 18,  152, 209, 72,  127, 142, 141, 153, 77,  173, 193,
       19,  189, 209, 0,   198, 172, 0,   164, 165, 23,  164, 153, 93,  162, 138, 162, 168, 120, 207, 197, 113, 224,
       224, 140, 166, 197, 178, 87,  153, 194, 55,  135, 206, 50,  173, 186, 53,  187, 129, 52,  225, 82,  66,  251,
       79,  115, 233, 91,  158, 211, 108, 154, 191, 127, 134, 172, 135, 126, 162, 67,  122, 168, 60,  102, 178, 44,
       57,  206, 35,  14,  214, 55,  0,   158, 77,  0,   111, 77,  48,  159, 71,  129, 235, 69,  163, 255});
}

TEST(Resample, LeavesAPictureOfTheSameSizeAsItIs) {
  const Picture picture = test::noise_picture(5, 6, 3);
  EXPECT_EQ(resampled(picture, {5, 6}, ResampleFilter::bicubic), picture);
  EXPECT_EQ(resampled(picture, {5, 6}, ResampleFilter::lanczos), picture);
}

TEST(Resample, LeavesOneColourAsItIsWhateverTheSizes) {
  for (const PictureSize size : {PictureSize{1, 1}, {3, 40}, {64, 2}, {33, 33}}) {
    const Picture grey{size.height, size.width, 1, std::vector<std::uint8_t>(size.height * size.width, 201)};
    for (const PictureSize to : {PictureSize{1, 1}, {7, 5}, {50, 61}}) {
      const Picture found = resampled(grey, to, ResampleFilter::lanczos);
      EXPECT_EQ(found.pixels, std::vector<std::uint8_t>(to.height * to.width, 201));
    }
  }
}

TEST(Resample, TakesRowsInAnyPortions) {
  const Picture picture = test::noise_picture(41, 9, 3);
  const Picture whole = resampled(picture, {11, 4}, ResampleFilter::lanczos);
  Resampler resampler({41, 9}, {11, 4}, 3, ResampleFilter::lanczos);
  int row = 0;
  for (const int rows : {1, 17, 0, 16, 7}) {
    resampler.add_rows(&picture.pixels[static_cast<std::size_t>(row) * 27], rows, 27);
    row += rows;
  }
  EXPECT_EQ(resampler.finish(), whole);
}

}  // namespace
}  // namespace duel
