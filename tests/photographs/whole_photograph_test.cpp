// Photographs at their full size come back as what they were: pixels, profile, EXIF, resolution and opacity.
#include "host/pictures/whole_photograph.h"

#include "host/pictures/decode.h"
#include "kernels/check.h"
#include "tests/support/bytes.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <vips/vips.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace duel {
namespace {

using test::Bytes;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using Image = std::unique_ptr<VipsImage, Unref>;

void expect_done(int failed) {
  EXPECT_EQ(failed, 0) << vips_error_buffer();
}

Image after(int failed, VipsImage*& result) {
  expect_done(failed);
  return Image(result);
}

Bytes slopes(int height, int width, int channels) {
  Bytes pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        pixels.push_back(static_cast<std::uint8_t>(40 + 5 * y + 3 * x + 20 * c));
      }
    }
  }
  return pixels;
}

Image image_of(const Bytes& pixels, int height, int width, int channels) {
  const Image image(
      vips_image_new_from_memory_copy(pixels.data(), pixels.size(), width, height, channels, VIPS_FORMAT_UCHAR));
  VipsImage* typed = nullptr;
  return after(vips_copy(image.get(), &typed, "interpretation",
                         channels < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, nullptr),
               typed);
}

std::string text_of(const Image& image, const char* field) {
  char* text = nullptr;
  if (vips_image_get_typeof(image.get(), field) == 0 || vips_image_get_as_string(image.get(), field, &text) != 0) {
    return "";
  }
  std::string result = text;
  g_free(text);
  return result;
}

class WholePhotographs : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    EXPECT_TRUE(test::error_of([] { read_whole_photograph("/nowhere/a.jpg"); }));  // starts libvips
  }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  Image open(const std::string& name) const { return Image(vips_image_new_from_file(file(name).c_str(), nullptr)); }

  // Reads one file and writes its pixels again.
  void copy(const std::string& from, const std::string& to, SavedFormat format) const {
    const WholePhotograph read = read_whole_photograph(file(from));
    const std::string bytes = encode_photograph(read.colours, format, *read.notes, file(to));
    test::write_bytes(file(to), Bytes(bytes.begin(), bytes.end()));
  }

  test::TemporaryFolder folder_;
};

TEST_F(WholePhotographs, KeepProfileExifAndResolution) {
  VipsImage* next = nullptr;
  const Image screen = image_of(slopes(12, 20, 3), 12, 20, 3);
  const Image wide = after(vips_icc_transform(screen.get(), &next, "p3", "input_profile", "srgb", nullptr), next);
  const Image image = after(vips_copy(wide.get(), &next, "xres", 11.811, "yres", 11.811, nullptr), next);
  vips_image_set_string(image.get(), "exif-ifd0-Artist", "A. Person (A. Person, ASCII, 10 components, 10 bytes)");
  vips_image_set_int(image.get(), VIPS_META_ORIENTATION, 6);
  expect_done(vips_jpegsave(image.get(), file("from.jpg").c_str(), "Q", 95, nullptr));
  ASSERT_NE(text_of(open("from.jpg"), "exif-ifd0-Artist"), "");

  copy("from.jpg", "to.jpg", SavedFormat::jpeg);
  const Image before = open("from.jpg"), made = open("to.jpg");
  EXPECT_EQ(made->Xsize, 12);  // turned
  EXPECT_EQ(made->Ysize, 20);
  EXPECT_EQ(vips_image_get_orientation(made.get()), 1);
  EXPECT_EQ(text_of(made, "exif-ifd0-Artist").substr(0, 9), "A. Person");
  EXPECT_EQ(text_of(made, VIPS_META_ICC_NAME), text_of(before, VIPS_META_ICC_NAME));
  EXPECT_NEAR(made->Xres, 11.811, 0.01);
  EXPECT_EQ(read_whole_photograph(file("from.jpg")).converted, "");
  const PictureFacts facts = picture_facts(file("to.jpg"));
  EXPECT_TRUE(facts.width == 12 && facts.height == 20);

  for (const auto& [name, format] : {std::pair{"to.png", SavedFormat::png}, {"to.webp", SavedFormat::webp}}) {
    copy("from.jpg", name, format);
    const Image other = open(name);
    EXPECT_EQ(text_of(other, VIPS_META_ICC_NAME), text_of(before, VIPS_META_ICC_NAME)) << name;
    EXPECT_EQ(text_of(other, "exif-ifd0-Artist").substr(0, 9), "A. Person") << name;
    EXPECT_EQ(vips_image_get_orientation(other.get()), 1) << name;
  }
}

TEST_F(WholePhotographs, KeepPixelsAndOpacity) {
  const Image image = image_of(slopes(9, 14, 4), 9, 14, 4);
  for (const auto& [name, format] : {std::pair{"a.png", SavedFormat::png}, {"a.tif", SavedFormat::tiff}}) {
    expect_done(vips_image_write_to_file(image.get(), file(name).c_str(), nullptr));
    const WholePhotograph read = read_whole_photograph(file(name));
    EXPECT_EQ(read.converted, "");
    ASSERT_EQ(read.alpha.size(), 9U * 14);
    const Bytes pixels = slopes(9, 14, 4);
    for (std::size_t pixel = 0; pixel < 9 * 14; ++pixel) {
      ASSERT_EQ(read.colours.pixels[3 * pixel + 2], pixels[4 * pixel + 2]);
      ASSERT_EQ(read.alpha[pixel], pixels[4 * pixel + 3]);
    }
    const std::string written = std::string("b") + name;
    copy(name, written, format);
    const WholePhotograph again = read_whole_photograph(file(written));
    EXPECT_EQ(again.colours, read.colours) << name;
    EXPECT_TRUE(again.alpha.empty());
  }
}

TEST_F(WholePhotographs, BecomeSrgbOf8BitsWhereTheyAreSomethingElse) {
  VipsImage* next = nullptr;
  const Bytes pixels = slopes(9, 14, 4);
  const Image bytes = image_of(pixels, 9, 14, 4);
  const Image wide = after(vips_colourspace(bytes.get(), &next, VIPS_INTERPRETATION_RGB16, nullptr), next);
  expect_done(vips_pngsave(wide.get(), file("w.png").c_str(), nullptr));
  const WholePhotograph deep = read_whole_photograph(file("w.png"));
  EXPECT_EQ(deep.converted, "16 bits");
  ASSERT_EQ(deep.colours.pixels.size(), 3U * 9 * 14);
  for (std::size_t pixel = 0; pixel < 9 * 14; ++pixel) {
    EXPECT_NEAR(deep.colours.pixels[3 * pixel + 1], pixels[4 * pixel + 1], 1);
    EXPECT_NEAR(deep.alpha[pixel], pixels[4 * pixel + 3], 1);
  }

  const Image grey = image_of(slopes(9, 14, 2), 9, 14, 2);
  expect_done(vips_pngsave(grey.get(), file("g.png").c_str(), nullptr));
  const WholePhotograph plain = read_whole_photograph(file("g.png"));
  EXPECT_EQ(plain.converted, "grey");
  EXPECT_EQ(plain.colours.pixels[5], slopes(9, 14, 2)[2]);
  EXPECT_EQ(plain.alpha[1], slopes(9, 14, 2)[3]);

  const Image screen = image_of(slopes(9, 14, 3), 9, 14, 3);
  const Image inks = after(vips_icc_transform(screen.get(), &next, "cmyk", "input_profile", "srgb", nullptr), next);
  expect_done(vips_tiffsave(inks.get(), file("i.tif").c_str(), nullptr));
  const WholePhotograph printed = read_whole_photograph(file("i.tif"));
  EXPECT_EQ(printed.converted, "CMYK");
  ASSERT_EQ(printed.colours.channels, 3);
  EXPECT_NEAR(printed.colours.pixels[0], 40, 20);
  copy("i.tif", "o.tif", SavedFormat::tiff);  // with a profile of three colours, or none
  EXPECT_EQ(read_whole_photograph(file("o.tif")).colours, printed.colours);
}

TEST_F(WholePhotographs, RefuseWhatIsNone) {
  test::write_bytes(file("a.jpg"), Bytes(300, 7));
  EXPECT_EQ(test::data_error([&] { read_whole_photograph(file("a.jpg")); }),
            file("a.jpg") + ": is no JPEG, PNG, WebP, TIFF or GIF, whatever its name says");
  const Image image = image_of(slopes(200, 200, 3), 200, 200, 3);
  expect_done(vips_pngsave(image.get(), file("b.png").c_str(), "compression", 0, nullptr));
  Bytes half = test::read_bytes(file("b.png"));
  half.resize(half.size() / 2);
  test::write_bytes(file("b.png"), half);
  EXPECT_NE(test::data_error([&] { read_whole_photograph(file("b.png")); }).find("ends too early"), std::string::npos);
  EXPECT_EQ(saved_format("GIF", false), SavedFormat::png);
  EXPECT_EQ(saved_format("JPEG", true), SavedFormat::png);
  EXPECT_TRUE(has_ending_of(SavedFormat::jpeg, "a.JPEG"));
  EXPECT_FALSE(has_ending_of(SavedFormat::jpeg, "a.png"));
}

}  // namespace
}  // namespace duel
