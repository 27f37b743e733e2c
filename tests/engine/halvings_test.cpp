// Of which sizes networks can be made that halve pictures.
#include "engine/models/halvings.h"

#include "kernels/check.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

Halvings made(int height, int width, int filters = 64) {
  return {"net", {.height = height, .width = width, .filters = filters}, 1};
}

TEST(Halvings, EndAtFourToSevenPixels) {
  for (const auto& [size, count, smallest] : {std::tuple{8, 1, 4},
                                              {14, 1, 7},
                                              {28, 2, 7},
                                              {32, 3, 4},
                                              {40, 3, 5},
                                              {64, 4, 4},
                                              {96, 4, 6},
                                              {128, 5, 4},
                                              {256, 6, 4}}) {
    const Halvings halvings = made(size, size);
    EXPECT_EQ(halvings.count(), count) << size;
    EXPECT_EQ(halvings.height(), smallest) << size;
  }
  const Halvings tall = made(96, 64);
  EXPECT_EQ(tall.pictures(5), (Shape{5, 6, 4, 512}));
}

TEST(Halvings, DoubleTheChannelsUpToEightTimes) {
  const Halvings halvings = made(256, 256, 3);
  const int expected[] = {3, 6, 12, 24, 24, 24};
  for (int i = 1; i <= 6; ++i) {
    EXPECT_EQ(halvings.channels(i), expected[i - 1]);
  }
  EXPECT_EQ(halvings.numbers(), 4 * 4 * 24);
}

TEST(Halvings, SayWhichSizesCanBeMade) {
  EXPECT_ERROR(made(7, 64), Error::Kind::usage, "net: pictures are 7x64, but height and width must be at least 8");
  EXPECT_ERROR(made(36, 36), Error::Kind::usage,
               "net: pictures are 36x36, which are halved 3 times, so height and width must be multiples of 8, such as "
               "32x32 or 40x40");
  EXPECT_ERROR(made(64, 100), Error::Kind::usage, "multiples of 16, such as 64x96 or 64x112");
}

TEST(Halvings, RefuseWhatNoNetworkIsMadeOf) {
  EXPECT_ERROR(Halvings("net", {.channels = 5}, 1), Error::Kind::usage, "net: pictures have 5 channels");
  EXPECT_ERROR(Halvings("net", {.filters = 7}, 8), Error::Kind::usage, "7 filters at least 8");
  EXPECT_ERROR(Halvings("net", {.height = 64, .width = 1 << 20, .filters = 4096}, 1), Error::Kind::usage,
               "but at most 2147483647 go into a dense layer");
}

}  // namespace
}  // namespace duel::test
