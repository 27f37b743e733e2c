// How a picture comes into a form: sizes, turns, frames, backgrounds.
#include "host/pictures/fit_picture.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace duel {
namespace {

using Bytes = std::vector<std::uint8_t>;

PictureForm form_of(int height, int width, Fit fit, int channels = 1) {
  PictureForm form;
  form.height = height;
  form.width = width;
  form.channels = channels;
  form.fit = fit;
  return form;
}

Bytes filled(const Picture& picture, const PictureForm& form) {
  Bytes bytes(static_cast<std::size_t>(form.height) * form.width * form.channels);
  fill_form(picture, form, bytes);
  return bytes;
}

TEST(FitPicture, ScalesToFillOrToLieWithin) {
  EXPECT_EQ(fitted_size({533, 400}, form_of(64, 64, Fit::cover)), (PictureSize{85, 64}));
  EXPECT_EQ(fitted_size({533, 400}, form_of(64, 64, Fit::contain)), (PictureSize{64, 48}));
  EXPECT_EQ(fitted_size({533, 400}, form_of(64, 64, Fit::pad)), (PictureSize{64, 48}));
  EXPECT_EQ(fitted_size({20, 10}, form_of(64, 48, Fit::cover)), (PictureSize{96, 48}));
  EXPECT_EQ(fitted_size({20, 10}, form_of(64, 48, Fit::contain)), (PictureSize{64, 32}));
  EXPECT_EQ(fitted_size({20, 10}, form_of(64, 48, Fit::pad)), (PictureSize{20, 10}));
  EXPECT_EQ(fitted_size({1, 9000}, form_of(16, 16, Fit::contain)), (PictureSize{1, 16}));
}

TEST(FitPicture, NeverMissesTheFormByRounding) {
  for (int height = 1; height < 90; height += 4) {
    for (int width = 1; width < 90; ++width) {
      const PictureSize over = fitted_size({height, width}, form_of(33, 7, Fit::cover));
      EXPECT_TRUE(over.height >= 33 && over.width >= 7 && (over.height == 33 || over.width == 7));
      const PictureSize in = fitted_size({height, width}, form_of(33, 7, Fit::contain));
      EXPECT_TRUE(in.height >= 1 && in.height <= 33 && in.width >= 1 && in.width <= 7);
      EXPECT_TRUE(in.height == 33 || in.width == 7);
    }
  }
}

TEST(FitPicture, TurnsAsExifSays) {
  const Picture stored{2, 3, 1, {1, 2, 3, 4, 5, 6}};
  const std::array<Picture, 9> expected = {stored,
                                           stored,
                                           Picture{2, 3, 1, {3, 2, 1, 6, 5, 4}},
                                           Picture{2, 3, 1, {6, 5, 4, 3, 2, 1}},
                                           Picture{2, 3, 1, {4, 5, 6, 1, 2, 3}},
                                           Picture{3, 2, 1, {1, 4, 2, 5, 3, 6}},
                                           Picture{3, 2, 1, {4, 1, 5, 2, 6, 3}},
                                           Picture{3, 2, 1, {6, 3, 5, 2, 4, 1}},
                                           Picture{3, 2, 1, {3, 6, 2, 5, 1, 4}}};
  for (int orientation = 0; orientation <= 8; ++orientation) {
    EXPECT_EQ(turned(stored, orientation), expected[static_cast<std::size_t>(orientation)]) << orientation;
  }
  EXPECT_EQ(turned({1, 2, 2, {1, 2, 3, 4}}, 2), (Picture{1, 2, 2, {3, 4, 1, 2}}));
}

TEST(FitPicture, CropsToTheCentreAndFramesInTheMiddle) {
  const Picture row{1, 5, 1, {1, 2, 3, 4, 5}};
  EXPECT_EQ(filled(row, form_of(1, 3, Fit::cover)), (Bytes{2, 3, 4}));
  PictureForm form = form_of(3, 7, Fit::pad);
  form.background = {{9, 9, 9}};
  EXPECT_EQ(filled(row, form), (Bytes{9, 9, 9, 9, 9, 9, 9,  //
                                      9, 1, 2, 3, 4, 5, 9,  //
                                      9, 9, 9, 9, 9, 9, 9}));
}

TEST(FitPicture, TakesTheMedianOfTheBorderForABackground) {
  const Picture picture{3, 3, 3, {10, 0, 1, 10, 0,  2,  99, 0, 3,  //
                                  10, 0, 4, 50, 50, 50, 10, 0, 5,  //
                                  10, 0, 6, 77, 0,  7,  10, 0, 8}};
  EXPECT_EQ(border_colour(picture), (std::array<std::uint8_t, 3>{10, 0, 4}));
  const Picture cut_out{1, 3, 4, {1, 2, 3, 0, 4, 5, 6, 254, 7, 8, 9, 255}};
  EXPECT_EQ(border_colour(cut_out), (std::array<std::uint8_t, 3>{7, 8, 9}));
  EXPECT_EQ(border_colour({1, 1, 4, {1, 2, 3, 0}}), (std::array<std::uint8_t, 3>{255, 255, 255}));
}

TEST(FitPicture, LaysTransparencyOnTheBackgroundOrKeepsIt) {
  const Picture picture{1, 2, 4, {200, 100, 0, 255, 200, 100, 0, 51}};
  PictureForm form = form_of(1, 2, Fit::cover, 3);
  form.background = {{0, 0, 255}};
  EXPECT_EQ(filled(picture, form), (Bytes{200, 100, 0, 40, 20, 204}));
  form.channels = 1;
  EXPECT_EQ(filled(picture, form), (Bytes{119, 47}));
  form = form_of(1, 4, Fit::contain, 4);
  EXPECT_EQ(filled(picture, form), (Bytes{200, 100, 0, 0, 200, 100, 0, 255, 200, 100, 0, 51, 200, 100, 0, 0}));
}

TEST(FitPicture, KeepsGreyAsItIs) {
  for (int value = 0; value < 256; ++value) {
    const auto grey = static_cast<std::uint8_t>(value);
    EXPECT_EQ(filled({1, 1, 3, {grey, grey, grey}}, form_of(1, 1, Fit::cover)), (Bytes{grey}));
    EXPECT_EQ(filled({1, 1, 1, {grey}}, form_of(1, 1, Fit::cover, 3)), (Bytes{grey, grey, grey}));
  }
  PictureForm form = form_of(1, 1, Fit::cover);
  form.background = {{0, 0, 0}};
  EXPECT_EQ(filled({1, 1, 2, {100, 51}}, form), (Bytes{20}));
}

}  // namespace
}  // namespace duel
