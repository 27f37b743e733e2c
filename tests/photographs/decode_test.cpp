// Photographs of every kind that people keep come out as they are seen, and every bad file is named. libvips writes
// them here; what is expected of their pixels is written down.
#include "host/pictures/decode.h"

#include "kernels/check.h"
#include "tests/support/bytes.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <vips/vips.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace duel {
namespace {

using test::Bytes;
using Colour = std::array<std::uint8_t, 3>;
using Corners = std::array<Colour, 4>;  // top left, top right, bottom left, bottom right

constexpr Colour kRed = {200, 30, 40}, kGreen = {30, 190, 60}, kBlue = {20, 40, 210}, kPale = {240, 235, 230};
constexpr Corners kUpright = {kRed, kGreen, kBlue, kPale};

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using Image = std::unique_ptr<VipsImage, Unref>;

void expect_done(int failed) {
  EXPECT_EQ(failed, 0) << vips_error_buffer();
}

Image image_of(const Bytes& pixels, int height, int width, int channels) {
  Image image(
      vips_image_new_from_memory_copy(pixels.data(), pixels.size(), width, height, channels, VIPS_FORMAT_UCHAR));
  VipsImage* typed = nullptr;
  expect_done(vips_copy(image.get(), &typed, "interpretation",
                        channels < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, nullptr));
  return Image(typed);
}

// A colour in each quarter.
Image quarters(int height, int width, const Corners& corners = kUpright) {
  Bytes pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Colour& colour = corners[static_cast<std::size_t>(2 * (2 * y / height) + 2 * x / width)];
      pixels.insert(pixels.end(), colour.begin(), colour.end());
    }
  }
  return image_of(pixels, height, width, 3);
}

Image after(int failed, VipsImage*& result) {
  expect_done(failed);
  return Image(result);
}

PictureForm form_of(int height, int width, int channels = 3, Fit fit = Fit::cover) {
  PictureForm form;
  form.height = height;
  form.width = width;
  form.channels = channels;
  form.fit = fit;
  return form;
}

Bytes decoded(const std::filesystem::path& path, const PictureForm& form) {
  Bytes bytes(static_cast<std::size_t>(form.height) * form.width * form.channels, 77);
  decode_picture(path, form, bytes);
  return bytes;
}

Colour pixel(const Bytes& bytes, int width, int y, int x, int channels = 3) {
  const std::uint8_t* p = &bytes[static_cast<std::size_t>((y * width + x) * channels)];
  return {p[0], p[1], p[2]};
}

int distance(const Colour& a, const Colour& b) {
  int most = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    most = std::max(most, std::abs(a[c] - b[c]));
  }
  return most;
}

// In the middle of each quarter.
void expect_corners(const Bytes& bytes, int height, int width, const Corners& corners, int tolerance) {
  for (int corner = 0; corner < 4; ++corner) {
    const int y = corner < 2 ? height / 4 : height - 1 - height / 4;
    const int x = corner % 2 == 0 ? width / 4 : width - 1 - width / 4;
    const Colour found = pixel(bytes, width, y, x), wanted = corners[static_cast<std::size_t>(corner)];
    EXPECT_LE(distance(found, wanted), tolerance)
        << "corner " << corner << " is " << int{found[0]} << ' ' << int{found[1]} << ' ' << int{found[2]};
  }
}

class Decode : public ::testing::Test {
protected:
  // The program's own code starts libvips, before anything here asks it for pictures.
  static void SetUpTestSuite() {
    EXPECT_TRUE(test::error_of([] { picture_facts("/nowhere/a.jpg"); }));
  }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  std::string error_of_decoding(const std::string& name, const PictureForm& form = form_of(8, 8)) const {
    const std::string error = test::data_error([&] { decoded(file(name), form); });
    EXPECT_TRUE(error.starts_with(file(name) + ": ")) << error;
    return error;
  }

  test::TemporaryFolder folder_;
};

TEST_F(Decode, IsPartOfThisBuild) {
  EXPECT_TRUE(can_decode_photographs());
}

TEST_F(Decode, ReadsEveryFormatByItsContentWhateverItsName) {
  const Image image = quarters(40, 60);
  const std::string name = file("picture.jpg");
  const auto expect_format = [&](const std::string& format, int tolerance) {
    const PictureFacts facts = picture_facts(name);
    EXPECT_EQ(facts.format, format);
    EXPECT_TRUE(facts.width == 60 && facts.height == 40 && facts.channels == 3) << format;
    EXPECT_FALSE(facts.is_animated);
    for (const auto& [height, width] : {std::pair{40, 60}, {20, 30}, {80, 120}}) {
      expect_corners(decoded(name, form_of(height, width)), height, width, kUpright, tolerance);
    }
  };
  expect_done(vips_jpegsave(image.get(), name.c_str(), "Q", 95, nullptr));
  expect_format("JPEG", 4);
  expect_done(vips_pngsave(image.get(), name.c_str(), nullptr));
  expect_format("PNG", 0);
  expect_done(vips_pngsave(image.get(), name.c_str(), "interlace", 1, nullptr));
  expect_format("PNG", 0);
  expect_done(vips_webpsave(image.get(), name.c_str(), "Q", 95, nullptr));
  expect_format("WebP", 12);
  expect_done(vips_webpsave(image.get(), name.c_str(), "lossless", 1, nullptr));
  expect_format("WebP", 0);
  expect_done(vips_tiffsave(image.get(), name.c_str(), nullptr));
  expect_format("TIFF", 0);
  expect_done(vips_tiffsave(image.get(), name.c_str(), "compression", VIPS_FOREIGN_TIFF_COMPRESSION_LZW, "tile", 1,
                            "bigtiff", 1, nullptr));
  expect_format("TIFF", 0);
  expect_done(vips_gifsave(image.get(), name.c_str(), "dither", 0.0, nullptr));
  expect_format("GIF", 2);
}

TEST_F(Decode, ReadsAPalette) {
  const Image image = quarters(40, 60);
  expect_done(vips_pngsave(image.get(), file("p.png").c_str(), "palette", 1, "dither", 0.0, nullptr));
  EXPECT_EQ(picture_facts(file("p.png")).channels, 3);
  expect_corners(decoded(file("p.png"), form_of(40, 60)), 40, 60, kUpright, 2);
}

TEST_F(Decode, TurnsPicturesByTheirOrientation) {
  const std::array<Corners, 8> seen = {kUpright,
                                       Corners{kGreen, kRed, kPale, kBlue},
                                       Corners{kPale, kBlue, kGreen, kRed},
                                       Corners{kBlue, kPale, kRed, kGreen},
                                       Corners{kRed, kBlue, kGreen, kPale},
                                       Corners{kBlue, kRed, kPale, kGreen},
                                       Corners{kPale, kGreen, kBlue, kRed},
                                       Corners{kGreen, kPale, kRed, kBlue}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image stored = quarters(320, 480);
    VipsImage* copy = nullptr;
    const Image image = after(vips_copy(stored.get(), &copy, nullptr), copy);
    vips_image_set_int(image.get(), VIPS_META_ORIENTATION, orientation);
    expect_done(vips_jpegsave(image.get(), file("t.jpg").c_str(), "Q", 95, nullptr));
    expect_done(vips_tiffsave(image.get(), file("t.tif").c_str(), nullptr));
    for (const char* name : {"t.jpg", "t.tif"}) {
      const bool is_upright = orientation < 5;
      const PictureFacts facts = picture_facts(file(name));
      EXPECT_TRUE(facts.height == (is_upright ? 320 : 480) && facts.width == (is_upright ? 480 : 320)) << orientation;
      const int height = is_upright ? 32 : 48, width = is_upright ? 48 : 32;
      expect_corners(decoded(file(name), form_of(height, width)), height, width,
                     seen[static_cast<std::size_t>(orientation - 1)], 4);
    }
  }
}

TEST_F(Decode, ReadsGrey) {
  const Image image = image_of(Bytes(30 * 20, 90), 30, 20, 1);
  expect_done(vips_jpegsave(image.get(), file("g.jpg").c_str(), nullptr));
  expect_done(vips_pngsave(image.get(), file("g.png").c_str(), nullptr));
  constexpr std::uint8_t grey = 90;
  for (const char* name : {"g.jpg", "g.png"}) {
    EXPECT_EQ(picture_facts(file(name)).channels, 1);
    EXPECT_EQ(decoded(file(name), form_of(6, 5, 1)), Bytes(6 * 5, grey));
    EXPECT_EQ(decoded(file(name), form_of(6, 5)), Bytes(6 * 5 * 3, grey));
    const Bytes opaque = decoded(file(name), form_of(6, 5, 4));
    EXPECT_TRUE(opaque[0] == grey && opaque[2] == grey && opaque[3] == 255);
  }
}

TEST_F(Decode, Makes8BitsOf16) {
  VipsImage* next = nullptr;
  const Image bytes = quarters(20, 30);
  const Image wide = after(vips_colourspace(bytes.get(), &next, VIPS_INTERPRETATION_RGB16, nullptr), next);
  const Image grey = after(vips_colourspace(bytes.get(), &next, VIPS_INTERPRETATION_GREY16, nullptr), next);
  expect_done(vips_pngsave(wide.get(), file("w.png").c_str(), nullptr));
  expect_done(vips_tiffsave(wide.get(), file("w.tif").c_str(), nullptr));
  expect_done(vips_pngsave(grey.get(), file("g.png").c_str(), nullptr));
  for (const char* name : {"w.png", "w.tif"}) {
    expect_corners(decoded(file(name), form_of(20, 30)), 20, 30, kUpright, 1);
    expect_corners(decoded(file(name), form_of(10, 15)), 10, 15, kUpright, 1);
  }
  EXPECT_EQ(picture_facts(file("g.png")).channels, 1);
  const Bytes found = decoded(file("g.png"), form_of(20, 30, 1));
  EXPECT_GT(found.back(), 230);
  EXPECT_LT(found.front(), 120);
}

TEST_F(Decode, RefusesSamplesThatNoPhotographHas) {
  VipsImage* next = nullptr;
  const Image black = after(vips_black(&next, 8, 8, "bands", 3, nullptr), next);
  const Image counts = after(vips_cast_int(black.get(), &next, nullptr), next);
  expect_done(vips_tiffsave(counts.get(), file("i.tif").c_str(), nullptr));
  EXPECT_NE(error_of_decoding("i.tif").find("samples of the kind int"), std::string::npos);
}

TEST_F(Decode, ReadsInksWithAndWithoutAProfile) {
  VipsImage* next = nullptr;
  const Image screen = quarters(40, 60, {Colour{180, 60, 60}, {70, 150, 80}, {70, 80, 150}, {230, 228, 225}});
  const Image inks = after(vips_icc_transform(screen.get(), &next, "cmyk", "input_profile", "srgb", nullptr), next);
  ASSERT_EQ(inks->Bands, 4);
  expect_done(vips_jpegsave(inks.get(), file("with.jpg").c_str(), "Q", 98, nullptr));
  expect_done(vips_jpegsave(inks.get(), file("without.jpg").c_str(), "Q", 98, "strip", 1, nullptr));
  expect_done(vips_tiffsave(inks.get(), file("with.tif").c_str(), nullptr));
  for (const char* name : {"with.jpg", "without.jpg", "with.tif"}) {
    const PictureFacts facts = picture_facts(file(name));
    EXPECT_TRUE(facts.channels == 3 && !facts.has_alpha) << name;
    expect_corners(decoded(file(name), form_of(20, 30)), 20, 30,
                   {Colour{180, 60, 60}, {70, 150, 80}, {70, 80, 150}, {230, 228, 225}}, 16);
  }
}

TEST_F(Decode, TakesColoursByTheEmbeddedProfile) {
  VipsImage* next = nullptr;
  const Image screen = quarters(40, 60);
  const Image wide = after(vips_icc_transform(screen.get(), &next, "p3", "input_profile", "srgb", nullptr), next);
  expect_done(vips_pngsave(wide.get(), file("p3.png").c_str(), nullptr));
  expect_done(vips_pngsave(wide.get(), file("none.png").c_str(), "strip", 1, nullptr));
  expect_corners(decoded(file("p3.png"), form_of(20, 30)), 20, 30, kUpright, 3);
  EXPECT_GT(distance(pixel(decoded(file("none.png"), form_of(20, 30)), 30, 5, 7), kRed), 8);
}

TEST_F(Decode, LeavesABrokenProfileAside) {
  VipsImage* next = nullptr;
  const Image picture = quarters(40, 60);
  const Image image = after(vips_copy(picture.get(), &next, nullptr), next);
  const std::string nonsense(600, 'x');
  vips_image_set_blob_copy(image.get(), VIPS_META_ICC_NAME, nonsense.data(), nonsense.size());
  expect_done(vips_jpegsave(image.get(), file("n.jpg").c_str(), "Q", 95, nullptr));
  expect_corners(decoded(file("n.jpg"), form_of(20, 30)), 20, 30, kUpright, 4);
}

// Left half opaque red, right half transparent over hidden green.
TEST_F(Decode, ShowsNothingOfWhatTransparencyHides) {
  Bytes pixels;
  for (int i = 0; i < 64 * 64; ++i) {
    const bool is_left = i % 64 < 31;
    const Colour& colour = is_left ? kRed : kGreen;
    pixels.insert(pixels.end(), {colour[0], colour[1], colour[2], is_left ? std::uint8_t{255} : std::uint8_t{0}});
  }
  const Image image = image_of(pixels, 64, 64, 4);
  expect_done(vips_pngsave(image.get(), file("a.png").c_str(), nullptr));
  expect_done(vips_webpsave(image.get(), file("a.webp").c_str(), "lossless", 1, nullptr));
  for (const char* name : {"a.png", "a.webp"}) {
    EXPECT_TRUE(picture_facts(file(name)).has_alpha);
    PictureForm form = form_of(8, 8);
    form.background = kRed;
    const Bytes flat = decoded(file(name), form);
    for (int i = 0; i < 64; ++i) {
      EXPECT_LE(distance(pixel(flat, 8, i / 8, i % 8), kRed), 2) << name << " " << i;
    }
    form.background.reset();  // the border's opaque pixels are red
    EXPECT_LE(distance(pixel(decoded(file(name), form), 8, 4, 7), kRed), 2);
    const Bytes kept = decoded(file(name), form_of(8, 8, 4));
    EXPECT_EQ(kept[3], 255);
    EXPECT_EQ(kept[7 * 4 + 3], 0);
  }
}

TEST_F(Decode, FramesOrCrops) {
  const Image image = quarters(20, 40);
  expect_done(vips_pngsave(image.get(), file("f.png").c_str(), nullptr));
  PictureForm form = form_of(60, 60, 3, Fit::contain);
  form.background = {{1, 2, 3}};
  const Bytes contained = decoded(file("f.png"), form);
  EXPECT_EQ(pixel(contained, 60, 14, 30), *form.background);
  EXPECT_LE(distance(pixel(contained, 60, 18, 5), kRed), 1);
  form.fit = Fit::pad;
  const Bytes padded = decoded(file("f.png"), form);
  EXPECT_EQ(pixel(padded, 60, 19, 30), *form.background);
  EXPECT_EQ(pixel(padded, 60, 20, 9), *form.background);
  EXPECT_EQ(pixel(padded, 60, 20, 10), kRed);
  const Bytes covered = decoded(file("f.png"), form_of(20, 10));
  EXPECT_LE(distance(pixel(covered, 10, 5, 2), kRed), 1);
  EXPECT_LE(distance(pixel(covered, 10, 15, 8), kPale), 1);
}

TEST_F(Decode, ReducesWithoutAliases) {
  Bytes pixels;
  for (int i = 0; i < 800 * 800; ++i) {
    pixels.push_back((i / 800 + i % 800) % 2 == 0 ? 0 : 254);
  }
  const Image image = image_of(pixels, 800, 800, 1);
  expect_done(vips_pngsave(image.get(), file("c.png").c_str(), "compression", 1, nullptr));
  expect_done(vips_jpegsave(image.get(), file("c.jpg").c_str(), "Q", 100, nullptr));
  expect_done(vips_webpsave(image.get(), file("c.webp").c_str(), "lossless", 1, "effort", 0, nullptr));
  for (const char* name : {"c.png", "c.jpg", "c.webp"}) {
    for (const int size : {50, 97, 300}) {
      for (const std::uint8_t value : decoded(file(name), form_of(size, size, 1))) {
        ASSERT_NEAR(value, 127, 5) << name << " at " << size;
      }
    }
  }
}

TEST_F(Decode, MakesEverySizeOfEverySize) {
  for (const int height : {1, 2, 3, 7, 33, 250, 1001}) {
    for (const int width : {1, 2, 5, 33, 257, 999}) {
      expect_done(vips_pngsave(quarters(height, width).get(), file("s.png").c_str(), "compression", 0, nullptr));
      expect_done(vips_jpegsave(quarters(height, width).get(), file("s.jpg").c_str(), nullptr));
      for (const auto& [h, w] : {std::pair{1, 1}, {7, 33}, {64, 48}}) {
        for (const Fit fit : {Fit::cover, Fit::contain, Fit::pad}) {
          EXPECT_NO_THROW(decoded(file("s.png"), form_of(h, w, 3, fit))) << height << "x" << width;
          EXPECT_NO_THROW(decoded(file("s.jpg"), form_of(h, w, 3, fit))) << height << "x" << width;
        }
      }
    }
  }
}

TEST_F(Decode, CutsALongPictureBeforeItScalesIt) {
  expect_done(vips_pngsave(quarters(4, 30000).get(), file("long.png").c_str(), nullptr));
  expect_corners(decoded(file("long.png"), form_of(64, 64)), 64, 64, kUpright, 30);  // 4 rows make 64: it overshoots
}

TEST_F(Decode, TakesTheFirstOfAnAnimation) {
  VipsImage* next = nullptr;
  const Image first = quarters(16, 16), second = image_of(Bytes(16 * 16 * 3, 9), 16, 16, 3);
  const Image both = after(vips_join(first.get(), second.get(), &next, VIPS_DIRECTION_VERTICAL, nullptr), next);
  const Image film = after(vips_copy(both.get(), &next, nullptr), next);
  vips_image_set_int(film.get(), VIPS_META_PAGE_HEIGHT, 16);
  expect_done(vips_gifsave(film.get(), file("a.gif").c_str(), "dither", 0.0, nullptr));
  expect_done(vips_webpsave(film.get(), file("a.webp").c_str(), "lossless", 1, nullptr));
  expect_done(vips_tiffsave(film.get(), file("a.tif").c_str(), nullptr));
  for (const char* name : {"a.gif", "a.webp", "a.tif"}) {
    const PictureFacts facts = picture_facts(file(name));
    EXPECT_TRUE(facts.is_animated && facts.height == 16 && facts.width == 16) << name;
    expect_corners(decoded(file(name), form_of(16, 16)), 16, 16, kUpright, 2);
  }
}

TEST_F(Decode, NamesFilesThatAreNoPictures) {
  test::write_bytes(file("empty.jpg"), {});
  EXPECT_NE(error_of_decoding("empty.jpg").find("is empty (0 bytes)"), std::string::npos);
  test::write_bytes(file("text.png"), Bytes(300, 'a'));
  EXPECT_NE(error_of_decoding("text.png").find("is no JPEG, PNG, WebP, TIFF or GIF"), std::string::npos);
  test::write_bytes(file("riff.webp"), {'R', 'I', 'F', 'F'});
  EXPECT_NE(error_of_decoding("riff.webp").find("is no JPEG"), std::string::npos);
  EXPECT_NE(error_of_decoding("absent.jpg").find("cannot be opened"), std::string::npos);
  std::filesystem::create_directory(file("folder.jpg"));
  EXPECT_NE(error_of_decoding("folder.jpg").find("is no file"), std::string::npos);
  ASSERT_EQ(::mkfifo(file("pipe.jpg").c_str(), 0600), 0);
  EXPECT_NE(error_of_decoding("pipe.jpg").find("is no file"), std::string::npos);
}

// Wherever it ends, even below the part that a form shows.
TEST_F(Decode, RefusesWhatEndsTooEarly) {
  Bytes noise;
  for (int i = 0; i < 200 * 80 * 3; ++i) {
    noise.push_back(static_cast<std::uint8_t>((i * 7919 + i / 13 * 104729) >> 3));
  }
  const Image image = image_of(noise, 200, 80, 3);
  expect_done(vips_jpegsave(image.get(), file("t.jpg").c_str(), nullptr));
  expect_done(vips_jpegsave(image.get(), file("progressive.jpg").c_str(), "interlace", 1, nullptr));
  expect_done(vips_pngsave(image.get(), file("t.png").c_str(), nullptr));
  expect_done(vips_webpsave(image.get(), file("t.webp").c_str(), nullptr));
  expect_done(vips_tiffsave(image.get(), file("t.tif").c_str(), nullptr));
  expect_done(vips_gifsave(image.get(), file("t.gif").c_str(), nullptr));
  ::testing::internal::CaptureStderr();
  for (const char* name : {"t.jpg", "progressive.jpg", "t.png", "t.webp", "t.tif", "t.gif"}) {
    const Bytes whole = test::read_bytes(file(name));
    for (const double part : {0.02, 0.5, 0.93}) {
      test::write_bytes(file(name),
                        Bytes(whole.begin(), whole.begin() + std::lround(part * static_cast<double>(whole.size()))));
      for (const Fit fit : {Fit::cover, Fit::contain}) {
        const std::string error = error_of_decoding(name, form_of(16, 16, 3, fit));
        EXPECT_NE(error.find("is damaged, ends too early"), std::string::npos) << part << error;
      }
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

// A header that announces what the file does not hold.
TEST_F(Decode, RefusesBombsByTheirHeader) {
  expect_done(vips_pngsave(quarters(8, 8).get(), file("small.png").c_str(), nullptr));
  const auto announce = [&](std::uint32_t width, std::uint32_t height) {
    Bytes bytes = test::read_bytes(file("small.png"));
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[16 + i] = static_cast<std::uint8_t>(width >> (24 - 8 * i));
      bytes[20 + i] = static_cast<std::uint8_t>(height >> (24 - 8 * i));
    }
    const auto crc = static_cast<std::uint32_t>(::crc32(0, &bytes[12], 17));
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[29 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    }
    test::write_bytes(file("b.png"), bytes);
    EXPECT_EQ(test::data_error([&] { picture_facts(file("b.png")); }), error_of_decoding("b.png"));
    return error_of_decoding("b.png");
  };
  EXPECT_NE(announce(50000, 3).find("has 50000x3 pixels, and pictures of at most 32768 a side and 134217728 in all"),
            std::string::npos);
  EXPECT_NE(announce(30000, 30000).find("has 30000x30000 pixels"), std::string::npos);
}

TEST_F(Decode, DecodesTheSameOnManyThreads) {
  expect_done(vips_jpegsave(quarters(300, 400).get(), file("0").c_str(), nullptr));
  expect_done(vips_pngsave(quarters(301, 200).get(), file("1").c_str(), nullptr));
  expect_done(vips_webpsave(quarters(150, 200).get(), file("2").c_str(), nullptr));
  const Bytes whole = test::read_bytes(file("0"));
  test::write_bytes(file("3"), Bytes(whole.begin(), whole.begin() + std::ssize(whole) / 2));
  std::vector<Bytes> alone;
  for (const char* name : {"0", "1", "2"}) {
    alone.push_back(decoded(file(name), form_of(32, 32)));
  }
  std::array<int, 4> good{}, refused{};
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < good.size(); ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 40; ++i) {
          const std::size_t which = (i + t) % 4;
          try {
            const Bytes found = decoded(file(std::to_string(which)), form_of(32, 32));
            good[t] += found == alone.at(which) ? 1 : 0;
          } catch (const Error& error) {
            refused[t] += which == 3 && error.kind() == Error::Kind::data ? 1 : 0;
          }
        }
      });
    }
  }
  EXPECT_EQ(good, (std::array<int, 4>{30, 30, 30, 30}));
  EXPECT_EQ(refused, (std::array<int, 4>{10, 10, 10, 10}));
}

TEST_F(Decode, ReadsNamesInAnyScript) {
  for (const char* name : {"Straße 12.jpg", "靴.jpg", "a[1],b.jpg", "-x=1.jpg"}) {
    expect_done(vips_jpegsave(quarters(16, 16).get(), file("plain.jpg").c_str(), nullptr));
    std::filesystem::copy_file(file("plain.jpg"), file(name));
    EXPECT_EQ(picture_facts(file(name)).format, "JPEG") << name;
  }
}

}  // namespace
}  // namespace duel
