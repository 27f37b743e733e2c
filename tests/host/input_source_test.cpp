// Pictures with what a network is to make them of: spoilt by program, or of a second folder.
#include "host/data/degraded_source.h"
#include "host/data/open_dataset.h"
#include "host/data/paired_source.h"
#include "host/metrics/picture_similarity.h"
#include "host/pictures/degrade.h"
#include "host/pictures/resample.h"
#include "tests/support/paths.h"
#include "tests/support/photographs.h"
#include "tests/support/source_rows.h"

#include <cstdlib>

namespace duel {
namespace {

namespace fs = std::filesystem;

using test::read_field;

Options::Data synthetic(const std::string& degrade) {
  Options::Data options;
  options.source = "synthetic";
  options.synthetic_count = 16;
  options.synthetic_height = 24;
  options.synthetic_width = 32;
  options.synthetic_channels = 3;
  options.degrade = degrade;
  return options;
}

Picture picture_of(const Source& source, const std::string& field, std::int64_t row) {
  const Shape& shape = field_named(source, field).shape;
  Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(static_cast<std::size_t>(shape.count()))};
  source.read(row, field_index(source, field), reinterpret_cast<std::byte*>(picture.pixels.data()));
  return picture;
}

TEST(DegradedSource, AddsAnInputToEveryRow) {
  const Data plain = open_dataset(synthetic("none"));
  EXPECT_FALSE(has_field(main_source(plain), kInputField));
  const Data data = open_dataset(synthetic("x2"));
  const Source& main = main_source(data);
  EXPECT_EQ(picture_shape(main), Shape({1, 24, 32, 3}));
  EXPECT_EQ(field_named(main, "input").shape, Shape({1, 12, 16, 3}));
  EXPECT_EQ(read_field<std::uint8_t>(main, "picture"), read_field<std::uint8_t>(main_source(plain), "picture"));
  EXPECT_EQ(picture_of(main, "input", 5), resampled(picture_of(main, "picture", 5), {12, 16}, ResampleFilter::bicubic));
  EXPECT_NE(main.fingerprint(), main_source(plain).fingerprint());
  EXPECT_NE(main.fingerprint(), main_source(open_dataset(synthetic("blur:1"))).fingerprint());
}

TEST(DegradedSource, RowsHaveTheSameInputWheneverTheyAreRead) {
  for (const char* degrade : {"noise:0-50", "motion:7", "strokes", "hole:9"}) {
    const Data first = open_dataset(synthetic(degrade)), second = open_dataset(synthetic(degrade));
    EXPECT_EQ(read_field<std::uint8_t>(main_source(first), "input"),
              read_field<std::uint8_t>(main_source(second), "input"))
        << degrade;
    const auto held_out = open_held_out(synthetic(degrade), main_source(first));
    ASSERT_NE(held_out, nullptr);
    EXPECT_EQ(field_named(*held_out, "input").shape, field_named(main_source(first), "input").shape);
  }
}

TEST(DegradedSource, SaysWhichPixelsAreKnownAtTheSizeOfACrop) {
  Options::Data options = synthetic("hole:9");
  options.crop = 12;
  const Data data = open_dataset(options);
  const Field& known = field_named(main_source(data), kKnownField);
  EXPECT_EQ(known.shape, Shape({1, 12, 12, 1}));
  const std::vector<std::uint8_t> rows = read_field<std::uint8_t>(main_source(data), kKnownField);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), 0), 16 * 81);
  options.crop = 9;
  EXPECT_ERROR(open_dataset(options), Error::Kind::usage, "must be larger than the hole of 9");
}

TEST(DegradedSource, WhatCannotBeSpoiltIsRefused) {
  Options::Data options = synthetic("x4");
  options.synthetic_width = 30;
  EXPECT_ERROR(open_dataset(options), Error::Kind::usage, "multiples of 4");
  options = synthetic("none");
  options.pairs = "/nowhere/at/all";
  EXPECT_ERROR(open_dataset(options), Error::Kind::data, "no such folder");
  options.degrade = "grey";
  EXPECT_ERROR(open_dataset(options), Error::Kind::usage, "leave one at none");
}

class Pairs : public test::Photographs {
protected:
  void SetUp() override {
    if (!can_decode_photographs()) {
      GTEST_SKIP() << "this build has no libvips";
    }
  }
  // Twelve pictures with the same upside down, as PNG files of other endings in capital letters.
  void draw_pairs(int divisor = 1) const {
    for (int i = 0; i < 12; ++i) {
      const std::string name = std::to_string(i);
      draw("bag/" + name + ".png", test::drawn_picture(i, 32, 24));
      draw_input("bag/" + name + ".PNG", test::drawn_picture(50 + i, 32 / divisor, 24 / divisor));
    }
  }
  void draw_input(const std::string& file, const Picture& picture) const {
    fs::create_directories((inputs_ / file).parent_path());
    write_png(inputs_ / file, picture);
  }
  Options::Data options() const {
    Options::Data data = Photographs::options();
    data.size = "24x32";
    data.pairs = inputs_.string();
    data.held_out = 30;
    return data;
  }

  const fs::path inputs_ = folder_ / "inputs";
};

TEST_F(Pairs, ComeByTheirNamesOnBothSidesOfTheSplit) {
  draw_pairs();
  const Data data = open_dataset(options());
  const Source& main = main_source(data);
  const auto held_out = open_held_out(options(), main);
  ASSERT_NE(held_out, nullptr);
  EXPECT_EQ(main.count() + held_out->count(), 12);
  for (const Source* source : {&main, held_out.get()}) {
    for (std::int64_t row = 0; row < source->count(); ++row) {
      int partner = -1;
      for (int i = 0; i < 12; ++i) {
        partner = picture_of(*source, "picture", row) == test::drawn_picture(i, 32, 24) ? i : partner;
      }
      ASSERT_GE(partner, 0);
      EXPECT_EQ(picture_of(*source, "input", row), test::drawn_picture(50 + partner, 32, 24));
    }
  }
}

TEST_F(Pairs, MayBeSmallerByOneFactor) {
  draw_pairs(2);
  const Data data = open_dataset(options());
  EXPECT_EQ(field_named(main_source(data), "input").shape, Shape({1, 16, 12, 3}));
}

TEST_F(Pairs, ThatAreNoneAreAllListed) {
  draw_pairs();
  fs::remove(inputs_ / "bag/3.PNG");
  fs::remove(shop_ / "bag/7.png");
  EXPECT_ERROR(open_dataset(options()), Error::Kind::data, "bag/3.png has no partner in");
  EXPECT_ERROR(open_dataset(options()), Error::Kind::data, "; bag/7.PNG has no partner in");
  draw_pairs();
  draw_input("bag/4.PNG", test::drawn_picture(4, 32, 20));
  draw_input("bag/5.PNG", test::drawn_picture(4, 16, 12));
  EXPECT_ERROR(open_dataset(options()), Error::Kind::data,
               "are no pairs: bag/4.png is 24x32, but bag/4.PNG is 20x32; bag/5.png is 24x32, but bag/5.PNG is 12x16");
  test::write_file(inputs_ / "bag/4.PNG", "no picture");
  EXPECT_ERROR(open_dataset(options()), Error::Kind::data, "bag/4.PNG: ");
}

// The figures that others reach by doing nothing, on the photographs that they give them for.
TEST(Degraded, PhotographsAreSpoiltAsMuchAsOthersSay) {
  const char* place = std::getenv("DUEL_DATA_DIR");
  const fs::path folder =
      (place != nullptr ? fs::path(place) : fs::path(test::source_folder()) / "../shared/data") / "clothing-128/test";
  if (!fs::is_directory(folder) || !can_decode_photographs()) {
    GTEST_SKIP() << folder << " is not there, or this build has no libvips";
  }
  const test::TemporaryFolder cache;
  struct Figure {
    const char* degrade;
    double psnr, bound;
  };
  // Bicubic by Pillow, JPEG by libjpeg, luma as Pillow's L; what is given is enlarged by bicubic, or grey in each
  // channel.
  for (const Figure& figure :
       {Figure{"x2", 29.10, 0.02}, {"x4", 24.84, 0.02}, {"jpeg:10", 26.43, 0.02}, {"grey", 27.13, 0.02}}) {
    Options::Data options;
    options.source = folder.string();
    options.size = "128x128";
    options.held_out = 0;
    options.degrade = figure.degrade;
    const Data data = open_dataset(options);
    const Source& main = main_source(data);
    ASSERT_EQ(main.count(), 372);
    double sum = 0;
    for (std::int64_t row = 0; row < main.count(); ++row) {
      sum += psnr(picture_of(main, "picture", row), shown_degraded(picture_of(main, "input", row), 128, 128, 3));
    }
    EXPECT_NEAR(sum / static_cast<double>(main.count()), figure.psnr, figure.bound) << figure.degrade;
  }
}

}  // namespace
}  // namespace duel
