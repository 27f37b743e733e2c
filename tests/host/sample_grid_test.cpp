// Sheets: every pixel of every picture stands where it should, and numbers become tones exactly.
#include "host/pictures/sample_grid.h"

#include "kernels/check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace duel {
namespace {

constexpr int kGap = 2;

float value_of(int pixel) {
  return static_cast<float>(pixel) / 127.5F - 1;
}

int tone(float value) {
  return to_picture({&value, 1}, 1, 1, 1).pixels[0];
}

TEST(ToPicture, MapsMinusOneToBlackAndOneToWhite) {
  EXPECT_EQ(tone(-1), 0);
  EXPECT_EQ(tone(1), 255);
  EXPECT_EQ(tone(0), 128);
  EXPECT_EQ(tone(value_of(100) + 0.4F / 127.5F), 100);
  EXPECT_EQ(tone(value_of(100) + 0.6F / 127.5F), 101);
}

TEST(ToPicture, GivesBackEveryByte) {
  for (int pixel = 0; pixel < 256; ++pixel) {
    EXPECT_EQ(tone(value_of(pixel)), pixel);
  }
}

TEST(ToPicture, ClampsAndSurvivesWhatIsNoNumber) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(tone(-1.5F), 0);
  EXPECT_EQ(tone(1.5F), 255);
  EXPECT_EQ(tone(-kInfinity), 0);
  EXPECT_EQ(tone(kInfinity), 255);
  EXPECT_EQ(tone(std::nanf("")), 0);
}

TEST(ToPicture, KeepsTheLayout) {
  std::vector<float> values;
  for (int i = 0; i < 12; ++i) {
    values.push_back(value_of(10 * i));
  }
  const Picture picture = to_picture(values, 2, 2, 3);
  EXPECT_EQ(picture, (Picture{2, 2, 3, {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110}}));
}

// Pictures whose pixels all differ from their neighbours, so that any mistake of place shows.
std::vector<float> numbered(int count, int height, int width, int channels) {
  std::vector<float> values;
  for (int i = 0; i < count * height * width * channels; ++i) {
    values.push_back(value_of(100 + i * 41 % 151));
  }
  return values;
}

// The sheet pixel by pixel, from its definition.
void expect_sheet(int count, int height, int width, int channels, int rows, int columns, int scale) {
  const std::vector<float> values = numbered(count, height, width, channels);
  const Picture sheet = sample_grid(values, count, height, width, channels, rows, columns);
  const int step_y = height * scale + kGap;
  const int step_x = width * scale + kGap;
  ASSERT_EQ(sheet.height, rows * step_y + kGap);
  ASSERT_EQ(sheet.width, columns * step_x + kGap);
  ASSERT_EQ(sheet.channels, channels);
  ASSERT_EQ(sheet.pixels.size(), static_cast<std::size_t>(sheet.height * sheet.width * channels));
  const int gap_tone = sheet.pixels[0];
  EXPECT_GT(gap_tone, 30);
  EXPECT_LT(gap_tone, 128);
  std::vector<std::uint8_t> expected;
  for (int y = 0; y < sheet.height; ++y) {
    for (int x = 0; x < sheet.width; ++x) {
      const int n = (y - kGap) / step_y * columns + (x - kGap) / step_x;
      const bool gap = y < kGap || x < kGap || y % step_y < kGap || x % step_x < kGap || n >= count;
      for (int c = 0; c < channels; ++c) {
        const int row = (y - kGap) % step_y / scale;
        const int column = (x - kGap) % step_x / scale;
        const int at = gap ? 0 : ((n * height + row) * width + column) * channels + c;
        const bool opacity = (c == 1 && channels == 2) || c == 3;
        expected.push_back(static_cast<std::uint8_t>(gap ? (opacity ? 255 : gap_tone) : 100 + at * 41 % 151));
      }
    }
  }
  EXPECT_EQ(sheet.pixels, expected);
}

TEST(SampleGrid, SetsPicturesSideBySide) {
  expect_sheet(6, 64, 70, 1, 2, 3, 1);
  expect_sheet(6, 64, 70, 3, 3, 2, 1);
  expect_sheet(5, 64, 70, 2, 3, 2, 1);
  expect_sheet(5, 64, 70, 4, 3, 2, 1);
}

TEST(SampleGrid, EnlargesSmallPictures) {
  expect_sheet(4, 28, 28, 1, 2, 2, 3);
  expect_sheet(4, 32, 20, 3, 2, 2, 2);
  expect_sheet(1, 1, 1, 1, 1, 1, 64);
  expect_sheet(1, 63, 5, 1, 1, 1, 2);
}

TEST(SampleGrid, LeavesMissingPicturesEmptyAndSparePicturesOut) {
  expect_sheet(5, 64, 64, 1, 2, 4, 1);
  expect_sheet(5, 64, 64, 3, 2, 2, 1);
  expect_sheet(0, 64, 64, 1, 2, 2, 1);
}

TEST(SampleGrid, RefusesWhatDoesNotFit) {
  const std::vector<float> values(4 * 8 * 8);
  EXPECT_THROW(sample_grid(values, 5, 8, 8, 1, 2, 2), Error);
  EXPECT_THROW(sample_grid(values, 4, 8, 8, 1, 0, 2), Error);
  EXPECT_THROW(sample_grid(values, 2, 8, 8, 5, 1, 1), Error);
  EXPECT_THROW(to_picture(values, 8, 8, 1), Error);
  try {
    sample_grid(values, 4, 8, 8, 1, 1'000'000, 1'000'000);
    FAIL() << "a sheet of 10^15 pixels was drawn";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage) << error.what();
  }
}

TEST(SampleGrid, KnowsTheShapeOfASheet) {
  const std::vector<float> values(12 * 5 * 8 * 3);
  const Picture sheet = sample_grid(values, 12, 5, 8, 3, 3, 4);
  const auto shape = sheet_shape(sheet.height, sheet.width, 5, 8);
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->rows, 3);
  EXPECT_EQ(shape->columns, 4);
  EXPECT_FALSE(sheet_shape(sheet.height, sheet.width + 1, 5, 8));
  EXPECT_FALSE(sheet_shape(sheet.height, sheet.width, 6, 8));
  EXPECT_FALSE(sheet_shape(0, 0, 5, 8));
  EXPECT_FALSE(sheet_shape(sheet.height, sheet.width, 0, 8));
}

}  // namespace
}  // namespace duel
