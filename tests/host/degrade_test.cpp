// What spoils pictures: the figures beside it are Pillow's and numpy's of the same pictures.
#include "host/pictures/degrade.h"

#include "host/pictures/decode.h"
#include "host/pictures/edges.h"
#include "host/pictures/gaussian_blur.h"
#include "host/pictures/resample.h"
#include "tests/support/noise_picture.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <set>

namespace duel {
namespace {

Picture grey_ground(int height, int width, int channels) {
  return {height, width, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(height) * width * channels, 120)};
}

void expect_near(const std::uint8_t* found, const std::vector<int>& wanted, int bound) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_LE(std::abs(found[i] - wanted[i]), bound) << "byte " << i << " is " << int{found[i]};
  }
}

TEST(Degradation, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(degradation_of("x4").scale(), 4);
  EXPECT_EQ(degradation_of("none").kind, DegradationKind::none);
  const Degradation noise = degradation_of("noise:0-50");
  EXPECT_EQ(noise.from, 0);
  EXPECT_EQ(noise.to, 50);
  EXPECT_EQ(degradation_of("noise:25").to, 25);
  EXPECT_EQ(degradation_of("blur:1.6").from, 1.6);
  EXPECT_TRUE(degradation_of("hole:32").has_holes());
  EXPECT_TRUE(degradation_of("strokes").is_drawn());
  EXPECT_FALSE(degradation_of("jpeg:10").is_drawn());
  const Degradation several = degradation_of("blur:0.5-3,jpeg:10");
  ASSERT_EQ(several.jobs.size(), 2U);
  EXPECT_EQ(several.jobs[0].from, 0.5);
  EXPECT_EQ(several.jobs[0].to, 3);
  EXPECT_EQ(several.jobs[1].word, "jpeg");
  EXPECT_TRUE(several.is_drawn());
  EXPECT_FALSE(several.has_holes());
  EXPECT_TRUE(degradation_of("all").has_holes());
  std::set<std::string> all;
  for (const Degradation& job : degradation_of("all").jobs) {
    all.insert(job.word);
  }
  EXPECT_EQ(all, (std::set<std::string>{"noise", "blur", "jpeg", "strokes"}));
}

TEST(Degradation, WhatIsNoneNamesTheNearest) {
  const auto usage = Error::Kind::usage;
  EXPECT_ERROR(degradation_of("noize:25"), usage, "no such degradation; the nearest is noise:S or noise:S-S");
  EXPECT_ERROR(degradation_of("x3"), usage, "the nearest is x2");
  EXPECT_ERROR(degradation_of("gray"), usage, "the nearest is grey");
  EXPECT_ERROR(degradation_of("jpeg:0"), usage, "must be jpeg:Q or jpeg:Q-Q with an integer from 1 to 100");
  EXPECT_ERROR(degradation_of("motion:9.5"), usage, "must be motion:N or motion:N-N with an integer from 2 to 101");
  EXPECT_ERROR(degradation_of("noise:50-25"), usage, "the second not below the first");
  EXPECT_ERROR(degradation_of("noise"), usage, "must be noise:S");
  EXPECT_ERROR(degradation_of("edges:3"), usage, "edges takes no number");
  EXPECT_ERROR(degradation_of("jpeg:40-5"), usage, "the second not below the first");
  EXPECT_ERROR(degradation_of("noise:5,x2"), usage, "x2 cannot be one of several");
  EXPECT_ERROR(degradation_of("noise:5,"), usage, "no such degradation");
  EXPECT_ERROR(degradation_of("noise:5,noise:9"), usage, "noise and noise cannot both be among several");
  EXPECT_ERROR(degradation_of("hole:5,strokes"), usage, "hole and strokes cannot both be among several");
}

TEST(Degrade, GreyIsPillowsLuma) {
  const Picture grey = degraded(degradation_of("grey"), test::noise_picture(5, 4, 3), 0);
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.pixels, (std::vector<std::uint8_t>{20, 188, 137, 87,  105, 122, 202, 128, 105, 49,
                                                    38, 136, 126, 184, 168, 174, 153, 163, 78,  155}));
}

TEST(Degrade, SmallerIsTheResamplingOfPillow) {
  const Picture picture = test::noise_picture(12, 16, 3);
  const Picture half = degraded(degradation_of("x2"), picture, 0);
  EXPECT_EQ(half, resampled(picture, {6, 8}, ResampleFilter::bicubic));
  EXPECT_EQ(shown_degraded(half, 12, 16, 3), resampled(half, {12, 16}, ResampleFilter::bicubic));
}

TEST(Degrade, BlurIsTheGaussian) {
  const Picture blurred = degraded(degradation_of("blur:1.6"), test::noise_picture(6, 5, 1), 0);
  expect_near(blurred.pixels.data(), {71,  93,  124, 152, 169, 86,  104, 129, 151, 164, 108, 120, 135, 149, 156,
                                      128, 132, 137, 142, 147, 139, 136, 133, 133, 136, 142, 135, 127, 126, 129},
              1);
}

TEST(Degrade, JpegIsThatOfOthers) {
  if (!can_decode_photographs()) {
    GTEST_SKIP() << "this build has no libvips";
  }
  Picture ramps{16, 16, 3, {}};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      for (const int value : {8 * y + 5 * x, 200 - 6 * y + 2 * x, 100 + 3 * x + 4 * y}) {
        ramps.pixels.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  const Picture poor = degraded(degradation_of("jpeg:10"), ramps, 0);
  expect_near(&poor.pixels[3 * 48], {10,  192, 107, 14,  193, 109, 18,  196, 112, 22,  198, 115, 31,  200, 119, 36,
                                     201, 122, 44,  202, 125, 50,  202, 127, 55,  199, 127, 60,  200, 129, 67,  201,
                                     132, 73,  202, 135, 81,  204, 139, 87,  206, 142, 92,  208, 145, 94,  210, 147},
              3);  // libjpegs round differently
  const Picture grey = degraded(degradation_of("jpeg:30"), test::noise_picture(9, 7, 1), 0);
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.pixels.size(), 63U);
}

TEST(Degrade, NoiseIsOfTheRowAndOfItsDeviation) {
  const Picture ground = grey_ground(64, 64, 3);
  const Degradation noise = degradation_of("noise:25");
  const Picture first = degraded(noise, ground, 7), again = degraded(noise, ground, 7),
                other = degraded(noise, ground, 8);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
  double sum = 0, squares = 0;
  for (const std::uint8_t value : first.pixels) {
    sum += value - 120.0;
    squares += (value - 120.0) * (value - 120.0);
  }
  const auto count = static_cast<double>(first.pixels.size());
  EXPECT_NEAR(sum / count, 0, 1);
  EXPECT_NEAR(std::sqrt(squares / count), 25, 1);
  EXPECT_EQ(degraded(degradation_of("noise:0"), ground, 7), ground);
}

TEST(Degrade, MotionDrawsAPointAlongALine) {
  Picture point{21, 21, 1, std::vector<std::uint8_t>(441)};
  point.pixels[10 * 21 + 10] = 255;
  std::set<std::vector<std::uint8_t>> directions;
  for (std::uint64_t row = 0; row < 4; ++row) {
    const Picture moved = degraded(degradation_of("motion:9"), point, row);
    const int sum = std::accumulate(moved.pixels.begin(), moved.pixels.end(), 0);
    EXPECT_NEAR(sum, 255, 20) << row;  // rounded in every pixel
    for (int y = 0; y < 21; ++y) {
      for (int x = 0; x < 21; ++x) {
        EXPECT_TRUE(moved.pixels[y * 21 + x] == 0 || std::hypot(y - 10, x - 10) < 5.5) << row << " " << y << " " << x;
      }
    }
    directions.insert(moved.pixels);
  }
  EXPECT_EQ(directions.size(), 4U);
  const Picture ground = grey_ground(9, 9, 3);
  EXPECT_EQ(degraded(degradation_of("motion:5"), ground, 1), ground);
}

TEST(Degrade, HolesAreTransparentAndTheRestIsAsItWas) {
  const Picture picture = test::noise_picture(40, 36, 3);
  for (const char* text : {"hole:12", "strokes"}) {
    for (std::uint64_t row = 0; row < 6; ++row) {
      const Degradation degradation = degradation_of(text);
      const Picture spoilt = degraded(degradation, picture, row);
      ASSERT_EQ(spoilt.channels, 4);
      const std::vector<std::uint8_t> known = known_pixels(degradation, 40, 36, row, false);
      int missing = 0;
      for (std::size_t i = 0; i < known.size(); ++i) {
        EXPECT_EQ(spoilt.pixels[4 * i + 3], known[i]);
        missing += known[i] == 0;
        for (int c = 0; c < 3; ++c) {
          EXPECT_EQ(spoilt.pixels[4 * i + c], known[i] == 0 ? 128 : picture.pixels[3 * i + c]);
        }
      }
      EXPECT_GT(missing, 0);
      EXPECT_LT(missing, 40 * 36);
    }
  }
}

TEST(Degrade, ARangeIsANumberOfTheRow) {
  const Picture picture = test::noise_picture(24, 24, 3);
  for (const char* text : {"blur:0.5-3", "motion:3-15"}) {
    std::set<std::vector<std::uint8_t>> made;
    for (std::uint64_t row = 0; row < 8; ++row) {
      made.insert(degraded(degradation_of(text), picture, row).pixels);
      EXPECT_EQ(degraded(degradation_of(text), picture, row), degraded(degradation_of(text), picture, row));
    }
    EXPECT_EQ(made.size(), 8U) << text;
  }
}

TEST(Degrade, OfSeveralEachRowHasItsOwn) {
  const Picture picture = test::noise_picture(24, 20, 3);
  const Degradation several = degradation_of("noise:25,blur:1.6,strokes");
  EXPECT_EQ(degraded_form(several, 24, 20, 3).channels, 4);
  for (std::uint64_t row = 0; row < 6; ++row) {
    const Degradation& job = several.jobs[job_of(several, row)];
    const Picture made = degraded(several, picture, row), alone = degraded(job, picture, row);
    ASSERT_EQ(made.channels, 4);
    for (std::size_t pixel = 0; pixel < 24 * 20; ++pixel) {
      for (int c = 0; c < alone.channels; ++c) {
        ASSERT_EQ(made.pixels[4 * pixel + c], alone.pixels[alone.channels * pixel + c]) << job.word;
      }
      ASSERT_TRUE(job.has_holes() || made.pixels[4 * pixel + 3] == 255) << job.word;
    }
  }
  EXPECT_NE(job_of(several, 0), job_of(several, 1));
  EXPECT_EQ(known_pixels(several, 24, 20, 1, true), known_pixels(degradation_of("strokes"), 24, 20, 1, true));
}

TEST(Degrade, AHoleIsInTheMiddleOrWhereTheRowHasIt) {
  const Degradation hole = degradation_of("hole:4");
  const std::vector<std::uint8_t> middle = known_pixels(hole, 8, 10, 3, false);
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 10; ++x) {
      EXPECT_EQ(middle[y * 10 + x], y >= 2 && y < 6 && x >= 3 && x < 7 ? 0 : 255);
    }
  }
  std::set<std::vector<std::uint8_t>> places;
  for (std::uint64_t row = 0; row < 50; ++row) {
    const std::vector<std::uint8_t> known = known_pixels(hole, 8, 10, row, true);
    EXPECT_EQ(std::count(known.begin(), known.end(), 0), 16);
    places.insert(known);
  }
  EXPECT_GT(places.size(), 20U);  // of 35
}

TEST(Degrade, EdgesAreThinLinesWhereBrightnessChanges) {
  Picture halves{12, 16, 3, {}};
  for (int y = 0; y < 12; ++y) {
    for (int x = 0; x < 16; ++x) {
      halves.pixels.insert(halves.pixels.end(), 3, x < 8 ? 40 : 200);
    }
  }
  const Picture edges = degraded(degradation_of("edges"), halves, 0);
  ASSERT_EQ(edges.channels, 1);
  for (int y = 1; y < 11; ++y) {
    int white = 0;
    for (int x = 0; x < 16; ++x) {
      const int value = edges.pixels[y * 16 + x];
      EXPECT_TRUE(value == 0 || (value == 255 && (x == 7 || x == 8))) << y << " " << x;
      white += value == 255;
    }
    EXPECT_EQ(white, 1) << y;
  }
  EXPECT_EQ(edges_of(grey_ground(9, 9, 3)).pixels, std::vector<std::uint8_t>(81, 0));
}

TEST(Degrade, WhatCannotBeDoneIsRefused) {
  const auto usage = Error::Kind::usage;
  EXPECT_ERROR(degraded_form(degradation_of("x4"), 64, 66, 3), usage, "pictures of 66x64");
  EXPECT_ERROR(degraded_form(degradation_of("hole:64"), 64, 66, 3), usage, "leaves nothing");
  EXPECT_ERROR(degraded_form(degradation_of("grey"), 64, 66, 1), usage, "grey already");
  EXPECT_ERROR(degraded_form(degradation_of("blur:2"), 64, 66, 4), usage, "opacity");
}

TEST(Degrade, IsShownAtTheSizeOfTheTruth) {
  Picture missing{2, 2, 2, {10, 255, 30, 255, 128, 0, 50, 255}};
  EXPECT_EQ(shown_degraded(missing, 2, 2, 1).pixels, (std::vector<std::uint8_t>{10, 30, 30, 50}));
  const Picture grey{1, 2, 1, {9, 8}};
  EXPECT_EQ(shown_degraded(grey, 1, 2, 3).pixels, (std::vector<std::uint8_t>{9, 9, 9, 8, 8, 8}));
}

}  // namespace
}  // namespace duel
