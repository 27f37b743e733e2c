// Tiles cover a picture of any size once, and what a network makes of them has no seams.
#include "host/restore/tiles.h"

#include "host/restore/before_after.h"
#include "kernels/gather.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace duel::test {
namespace {

Picture drawn(int height, int width, int channels) {
  Picture picture{height, width, channels, {}};
  for (int i = 0; i < height * width * channels; ++i) {
    picture.pixels.push_back(static_cast<std::uint8_t>(i * 2654435761U >> 24));
  }
  return picture;
}

float as_float(std::uint8_t value) {
  return static_cast<float>(value) / kPictureScale.divisor + kPictureScale.shift;
}

// Each pixel of a tile repeated `scale` times each way.
TiledWork repeating(PictureSize tile, int overlap, int scale, int channels) {
  TiledWork work;
  work.tile = tile;
  work.overlap = overlap;
  work.at_once = 3;
  work.scale = scale;
  work.channels = channels;
  work.network = [=](std::span<const std::uint8_t> tiles) {
    const auto pixels = static_cast<std::size_t>(tile.height) * tile.width * channels;
    EXPECT_LE(tiles.size(), 3 * pixels);
    std::vector<float> made;
    for (std::size_t first = 0; first < tiles.size(); first += pixels) {
      for (int y = 0; y < scale * tile.height; ++y) {
        for (int x = 0; x < scale * tile.width; ++x) {
          const std::size_t pixel = static_cast<std::size_t>(y / scale) * tile.width + x / scale;
          for (int c = 0; c < channels; ++c) {
            made.push_back(as_float(tiles[first + pixel * channels + c]));
          }
        }
      }
    }
    return made;
  };
  return work;
}

TEST(Tiles, LieEvenlyAndCountOnceTogether) {
  for (const int length : {1, 7, 16, 17, 24, 25, 28, 40, 41, 100}) {
    for (const int overlap : {0, 4, 6}) {
      const TileAxis axis(length, 16, overlap);
      EXPECT_EQ(axis.start(0), 0);
      EXPECT_EQ(axis.start(axis.count() - 1), std::max(length - 16, 0));
      for (int i = 0; i + 1 < axis.count(); ++i) {
        EXPECT_LT(axis.start(i), axis.start(i + 1));
        EXPECT_LE(axis.start(i + 1), axis.start(i) + 16 - overlap) << length << ' ' << overlap;
      }
      for (const int scale : {1, 3}) {
        for (int pixel = 0; pixel < scale * length; ++pixel) {
          float sum = 0;
          for (int i = 0; i < axis.count(); ++i) {
            const float weight = axis.weight(i, pixel, scale);
            EXPECT_GE(weight, 0);
            const bool is_inside = pixel >= scale * axis.start(i) && pixel < scale * (axis.start(i) + 16);
            EXPECT_TRUE(is_inside || weight == 0) << length << ' ' << overlap << ' ' << pixel;
            sum += weight;
          }
          EXPECT_NEAR(sum, 1, 1e-6);
        }
      }
    }
  }
}

TEST(Tiles, WhatChangesNothingGivesThePictureBack) {
  for (const auto& [height, width] : {std::pair{16, 12}, {1, 1}, {5, 40}, {33, 3}, {37, 41}, {64, 25}}) {
    for (const int channels : {1, 3, 4}) {
      const Picture given = drawn(height, width, channels);
      EXPECT_EQ(restored_in_tiles(given, repeating({16, 12}, 4, 1, channels)), given) << height << 'x' << width;
      const Picture large = restored_in_tiles(given, repeating({16, 12}, 3, 2, channels));
      ASSERT_EQ(large.height, 2 * height);
      ASSERT_EQ(large.width, 2 * width);
      for (int y = 0; y < large.height; ++y) {
        for (int x = 0; x < large.width * channels; ++x) {
          ASSERT_EQ(large.pixels[static_cast<std::size_t>(y) * large.width * channels + x],
                    given.pixels[static_cast<std::size_t>(y / 2) * width * channels + x / channels / 2 * channels +
                                 x % channels]);
        }
      }
    }
  }
}

// The mean of 5x5 pixels where zeros lie about a tile, as a network's convolutions have it.
std::vector<float> blurred(std::span<const std::uint8_t> pixels, int height, int width) {
  std::vector<float> result;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      float sum = 0;
      for (int v = std::max(y - 2, 0); v <= std::min(y + 2, height - 1); ++v) {
        for (int u = std::max(x - 2, 0); u <= std::min(x + 2, width - 1); ++u) {
          sum += as_float(pixels[static_cast<std::size_t>(v) * width + u]) / 25;
        }
      }
      result.push_back(sum);
    }
  }
  return result;
}

TEST(Tiles, EqualTheWholeWhereTheNetworkReachesLessThanIsLeftOut) {
  const Picture given = drawn(50, 61, 1);
  TiledWork work = repeating({20, 20}, 8, 1, 1);  // a ramp of 4 pixels, 2 of each tile beside it
  work.at_once = 1;
  work.network = [](std::span<const std::uint8_t> tile) { return blurred(tile, 20, 20); };
  TiledWork whole = work;
  whole.tile = {50, 61};
  whole.network = [](std::span<const std::uint8_t> tile) { return blurred(tile, 50, 61); };
  const Picture parts = restored_in_tiles(given, work), at_once = restored_in_tiles(given, whole);
  for (std::size_t i = 0; i < parts.pixels.size(); ++i) {
    EXPECT_LE(std::abs(parts.pixels[i] - at_once.pixels[i]), 1) << i;  // sums in another order
  }
}

// Each tile comes out darker or brighter than its neighbours by 40 levels: a step that is spread over a ramp.
TEST(Tiles, ShowNoSeamWhereTheyDisagree) {
  TiledWork work = repeating({32, 32}, 16, 1, 1);
  int number = 0;
  work.at_once = 1;
  work.network = [&](std::span<const std::uint8_t> tile) {
    return std::vector<float>(tile.size(), (number++ % 2 == 0 ? -20.0F : 20.0F) / 127.5F);
  };
  const Picture made = restored_in_tiles({80, 96, 1, std::vector<std::uint8_t>(80 * 96)}, work);
  int most = 0, least_value = 255, most_value = 0;
  for (int y = 0; y + 1 < 80; ++y) {
    for (int x = 0; x + 1 < 96; ++x) {
      const int here = made.pixels[static_cast<std::size_t>(y) * 96 + x];
      most = std::max({most, std::abs(made.pixels[static_cast<std::size_t>(y) * 96 + x + 1] - here),
                       std::abs(made.pixels[static_cast<std::size_t>(y + 1) * 96 + x] - here)});
      least_value = std::min(least_value, here);
      most_value = std::max(most_value, here);
    }
  }
  EXPECT_GT(most_value - least_value, 30);
  EXPECT_LE(most, 9);  // 1.5 times 40 over 8 pixels, and rounding
}

TEST(Tiles, TellHowFarTheyAre) {
  TiledWork work = repeating({16, 16}, 4, 1, 1);
  std::vector<std::int64_t> done;
  work.progress = [&](std::int64_t now, std::int64_t count) {
    EXPECT_EQ(count, 9);
    done.push_back(now);
  };
  restored_in_tiles(drawn(40, 40, 1), work);
  EXPECT_EQ(done, (std::vector<std::int64_t>{3, 6, 9}));
}

TEST(BeforeAfter, ShowsTheSamePlaceOfBoth) {
  Picture given = drawn(400, 500, 4), made = drawn(400, 500, 3);
  for (std::size_t pixel = 0; pixel < 400 * 500; ++pixel) {
    given.pixels[4 * pixel + 3] = 255;
    std::copy_n(given.pixels.begin() + static_cast<std::ptrdiff_t>(4 * pixel), 3,
                made.pixels.begin() + static_cast<std::ptrdiff_t>(3 * pixel));
  }
  given.pixels[4 * (390 * 500 + 490) + 3] = 0;  // near a corner
  const CaptionedRow row = before_after("a.png", given, made, 1);
  const Picture &before = row.pictures[0].picture, &after = row.pictures[1].picture;
  ASSERT_EQ(before.height, kDetail);
  ASSERT_EQ(after.width, kDetail);
  EXPECT_EQ(before.pixels[4 * ((kDetail - 10) * kDetail + kDetail - 10) + 3], 0);
  for (std::size_t pixel = 0; pixel < kDetail * kDetail; ++pixel) {
    ASSERT_EQ(before.pixels[4 * pixel], after.pixels[3 * pixel]);
  }
  const CaptionedRow enlarged = before_after("b.png", drawn(20, 30, 3), drawn(40, 60, 3), 2);
  EXPECT_EQ(enlarged.pictures[0].picture.width, 60);
  EXPECT_EQ(enlarged.pictures[1].picture.height, 40);
}

}  // namespace
}  // namespace duel::test
