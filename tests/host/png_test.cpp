// PNG: what is written is read back, other kinds of PNG are understood, and bad files and places are named.
#include "host/pictures/png.h"

#include "kernels/check.h"
#include "tests/support/bytes.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace duel {
namespace {

using test::Bytes;

Picture pattern(int height, int width, int channels) {
  Picture picture{height, width, channels, {}};
  for (int i = 0; i < height * width * channels; ++i) {
    picture.pixels.push_back(static_cast<std::uint8_t>(i * 37 + i / 11));
  }
  return picture;
}

bool contains(const Bytes& bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}

class Png : public ::testing::Test {
protected:
  std::filesystem::path file(const std::string& name = "picture.png") const { return folder_ / name; }
  std::string read_error() const {
    return test::data_error([&] { read_png(file()); });
  }

  // Writes with libpng in a format that write_png does not have.
  void write_other(png_uint_32 format, int height, int width, const void* pixels, const void* colours = nullptr,
                   int colour_count = 0) const {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.height = static_cast<png_uint_32>(height);
    image.width = static_cast<png_uint_32>(width);
    image.format = format;
    image.colormap_entries = static_cast<png_uint_32>(colour_count);
    ASSERT_NE(png_image_write_to_file(&image, file().c_str(), 0, pixels, 0, colours), 0) << image.message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(Png, ReadsBackWhatItWrote) {
  for (const int channels : {1, 2, 3, 4}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {5, 7}, {33, 3}, {200, 301}}) {
      const Picture picture = pattern(height, width, channels);
      write_png(file(), picture);
      EXPECT_EQ(read_png(file(), Transparency::kept), picture) << height << "x" << width << "x" << channels;
    }
  }
}

TEST_F(Png, WritesWhatItEncodes) {
  const Picture picture = pattern(9, 8, 3);
  const Bytes bytes = encode_png(picture);
  write_png(file(), picture);
  EXPECT_EQ(test::read_bytes(file()), bytes);
  EXPECT_EQ(encode_png(picture), bytes);
  EXPECT_FALSE(contains(bytes, "tIME"));
  EXPECT_TRUE(contains(bytes, "IEND"));
}

TEST_F(Png, ReplacesAFileAndLeavesNothingElse) {
  write_png(file(), pattern(3, 3, 1));
  write_png(file(), pattern(4, 4, 1));
  EXPECT_EQ(read_png(file()).height, 4);
  EXPECT_EQ(test::names_in(folder_.path()), std::vector<std::string>{"picture.png"});
}

TEST_F(Png, NamesWhereItCannotWrite) {
  const auto path = folder_ / "absent" / "picture.png";
  const std::string message = test::data_error([&] { write_png(path, pattern(3, 3, 1)); });
  EXPECT_EQ(message.rfind(path.string(), 0), 0u) << message;
}

TEST_F(Png, RefusesAPictureThatIsNone) {
  Picture picture = pattern(3, 3, 1);
  picture.pixels.pop_back();
  EXPECT_THROW(encode_png(picture), Error);
  EXPECT_THROW(encode_png(Picture{}), Error);
  EXPECT_THROW(encode_png(pattern(3, 3, 5)), Error);
}

TEST_F(Png, NamesWhatItCannotRead) {
  EXPECT_EQ(read_error(), file().string() + ": cannot read as PNG: No such file or directory");
  test::write_bytes(folder_ / "picture.png", {});
  EXPECT_EQ(read_error().rfind(file().string() + ": cannot read as PNG: ", 0), 0u) << read_error();
  test::write_bytes(folder_ / "picture.png", Bytes(100, 'x'));
  EXPECT_EQ(read_error().rfind(file().string() + ": cannot read as PNG: ", 0), 0u) << read_error();
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_EQ(read_error().rfind(file().string() + ": cannot read as PNG: ", 0), 0u) << read_error();
}

// Damage is an error, or has left the pixels as they were (in a chunk that does not carry them).
TEST_F(Png, FindsDamage) {
  const Picture picture = pattern(5, 7, 3);
  const Bytes bytes = encode_png(picture);
  int errors = 0;
  const auto expect_noticed = [&](const Bytes& damaged, std::size_t at) {
    test::write_bytes(folder_ / "picture.png", damaged);
    Picture found;
    if (test::data_error([&] { found = read_png(file()); }).empty()) {
      EXPECT_EQ(found, picture) << "at " << at;
    } else {
      ++errors;
    }
  };
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes damaged = bytes;
    damaged[at] ^= static_cast<std::uint8_t>(1 << at % 8);
    expect_noticed(damaged, at);
  }
  EXPECT_GT(errors, static_cast<int>(bytes.size()) * 3 / 4);
  for (std::size_t size = 0; size + 16 < bytes.size(); ++size) {
    const int before = errors;
    expect_noticed(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)), size);
    EXPECT_EQ(errors, before + 1) << "cut to " << size << " of " << bytes.size();
  }
}

// A right header of 32768 x 32768 pixels, with nothing behind it.
TEST_F(Png, RefusesMorePixelsThanItReads) {
  test::write_bytes(folder_ / "picture.png",
                    {0x89, 'P', 'N', 'G', 13,  10,   26,   10,                                          //
                     0,    0,   0,   13,  'I', 'H',  'D',  'R',  0,    0,    0x80, 0,   0, 0, 0x80, 0,  //
                     8,    0,   0,   0,   0,   0xe1, 0x17, 0xfc, 0xa3,                                  //
                     0,    0,   0,   0,   'I', 'D',  'A',  'T',  0x35, 0xaf, 0x06, 0x1e});
  EXPECT_NE(read_error().find("32768x32768"), std::string::npos) << read_error();
}

TEST_F(Png, LaysTransparencyOnWhite) {
  const Bytes pixels = {10, 20, 30, 255, 10, 20, 30, 0};
  write_other(PNG_FORMAT_RGBA, 1, 2, pixels.data());
  EXPECT_EQ(read_png(file()), (Picture{1, 2, 3, {10, 20, 30, 255, 255, 255}}));
  const Bytes grey = {77, 255, 77, 0};
  write_other(PNG_FORMAT_GA, 1, 2, grey.data());
  EXPECT_EQ(read_png(file()), (Picture{1, 2, 1, {77, 255}}));
}

TEST_F(Png, LooksUpPalettes) {
  const Bytes colours = {1, 2, 3, 200, 100, 50};
  const Bytes pixels = {1, 0, 0, 1};
  write_other(PNG_FORMAT_RGB_COLORMAP, 2, 2, pixels.data(), colours.data(), 2);
  EXPECT_EQ(read_png(file()), (Picture{2, 2, 3, {200, 100, 50, 1, 2, 3, 1, 2, 3, 200, 100, 50}}));
}

// As libpng's own reader finds them, which checks every chunk.
PngTexts texts_in(const Bytes& bytes) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const std::byte* next = std::as_bytes(std::span(bytes)).data();
  png_set_read_fn(png, &next, [](png_structp reader, png_bytep to, std::size_t count) {
    auto& from = *static_cast<const std::byte**>(png_get_io_ptr(reader));
    std::copy_n(from, count, reinterpret_cast<std::byte*>(to));
    from += count;
  });
  png_read_info(png, info);
  png_textp list = nullptr;
  const int count = png_get_text(png, info, &list, nullptr);
  PngTexts texts;
  for (const png_text& text : std::span(list, static_cast<std::size_t>(count))) {
    texts.emplace_back(text.key, text.text);
  }
  png_destroy_read_struct(&png, &info, nullptr);
  return texts;
}

TEST_F(Png, CarriesTexts) {
  const PngTexts texts = {{"Software", "Duel"}, {"Class", "Fu\xc3\x9f, T-shirt/top"}, {"Seed", ""}};
  const Picture picture = pattern(5, 7, 3);
  const Bytes bytes = encode_png(picture, texts);
  EXPECT_EQ(texts_in(bytes), texts);
  test::write_bytes(file(), bytes);
  EXPECT_EQ(read_png(file()), picture);
  EXPECT_EQ(texts_in(encode_png(picture)), PngTexts());
  EXPECT_THROW(encode_png(picture, {{"", "x"}}), Error);
  EXPECT_THROW(encode_png(picture, {{std::string(80, 'k'), "x"}}), Error);
}

}  // namespace
}  // namespace duel
