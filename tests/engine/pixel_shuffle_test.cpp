// pixel_shuffle and pixel_unshuffle (engine/ops/ops.h) against their formula, and what they refuse.
#include "kernels/check.h"
#include "tests/support/small_program.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

TEST(PixelShuffle, SpreadsBlocksOfChannels) {
  constexpr int kRows = 2, kHeight = 3, kWidth = 5, kColours = 2, kFactor = 3;
  SmallProgram s;
  const Value x = s.input({kRows, kHeight, kWidth, kFactor * kFactor * kColours});
  const Value y = ops::pixel_shuffle(s.program, x, kFactor), back = ops::pixel_unshuffle(s.program, y, kFactor);
  EXPECT_EQ(s.program.shape(y), (Shape{kRows, 9, 15, kColours}));
  s.program.keep(y);
  s.program.keep(back);
  s.finish();
  s.run();
  const std::vector<float> made = s.read(y), again = s.read(back);
  std::size_t place = 0;
  for (int n = 0; n < kRows; ++n) {
    for (int row = 0; row < kHeight * kFactor; ++row) {
      for (int column = 0; column < kWidth * kFactor; ++column) {
        for (int c = 0; c < kColours; ++c) {
          const int pixel = (n * kHeight + row / kFactor) * kWidth + column / kFactor;
          const int block = row % kFactor * kFactor + column % kFactor;
          EXPECT_EQ(made[place++], s.data(0)[(pixel * kFactor * kFactor + block) * kColours + c]);
        }
      }
    }
  }
  EXPECT_EQ(again, std::vector<float>(s.data(0), s.data(0) + again.size()));
}

TEST(PixelShuffle, WhatCannotBeMadeIsRefused) {
  SmallProgram s;
  const Value x = s.input({2, 3, 4, 6});
  EXPECT_ERROR(ops::pixel_shuffle(s.program, x, 2), Error::Kind::internal,
               "pixel_shuffle: x is [2,3,4,6], but must be [N,H,W,4 C]");
  EXPECT_ERROR(ops::pixel_unshuffle(s.program, x, 2), Error::Kind::internal,
               "pixel_unshuffle: x is [2,3,4,6], but must have a height and a width that 2 divides");
}

}  // namespace
}  // namespace duel::test
