// libpng's simplified interface, because it reports errors by return value: the classic one leaves by longjmp, which
// skips the destructors of C++. The simplified one writes no texts, so their chunks are put into the finished file.
#include "host/pictures/png.h"

#include "host/files/atomic_file.h"
#include "kernels/check.h"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace duel {
namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;
constexpr png_uint_32 kFormats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};  // by channels

// A png_image that frees what libpng keeps in it.
struct Image : png_image {
  Image() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~Image() { png_image_free(this); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
};

constexpr std::size_t kHeaderEnd = 8 + 25;  // the signature and the chunk IHDR, which is the first one always

void append_number(std::vector<std::uint8_t>& bytes, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) {
    bytes.push_back(static_cast<std::uint8_t>(number >> shift));
  }
}

// ISO/IEC 15948, 5.3: length, type, data, CRC-32 of type and data.
void append_chunk(std::vector<std::uint8_t>& bytes, std::string_view type, std::string_view data) {
  append_number(bytes, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = bytes.size();
  bytes.insert(bytes.end(), type.begin(), type.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  const uLong crc = crc32(0, bytes.data() + begin, static_cast<uInt>(bytes.size() - begin));
  append_number(bytes, static_cast<std::uint32_t>(crc));
}

// 11.3.4: tEXt is Latin-1, of which ASCII is a part; iTXt is UTF-8, here neither compressed nor of a language.
void append_text(std::vector<std::uint8_t>& bytes, const std::string& keyword, const std::string& text) {
  check(!keyword.empty() && keyword.size() <= 79, "encode_png: a keyword has 1 to 79 letters, but \"{}\" has {}",
        keyword, keyword.size());
  const bool is_ascii = std::all_of(text.begin(), text.end(), [](char letter) { return (letter & 0x80) == 0; });
  append_chunk(bytes, is_ascii ? "tEXt" : "iTXt", keyword + std::string(is_ascii ? 1 : 5, '\0') + text);
}

}  // namespace

std::vector<std::uint8_t> encode_png(const Picture& picture, const PngTexts& texts) {
  check(picture.height > 0 && picture.width > 0 && picture.channels >= 1 && picture.channels <= 4 &&
            std::int64_t{picture.height} * picture.width * picture.channels == std::ssize(picture.pixels),
        "encode_png: a picture of {}x{}x{} cannot have {} bytes", picture.height, picture.width, picture.channels,
        picture.pixels.size());
  Image image;
  image.height = static_cast<png_uint_32>(picture.height);
  image.width = static_cast<png_uint_32>(picture.width);
  image.format = kFormats[picture.channels - 1];

  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr) == 0) {
    throw_error(Error::Kind::internal, "encode_png: {}x{}x{}: {}", picture.height, picture.width, picture.channels,
                image.message);
  }
  bytes.resize(size);
  std::vector<std::uint8_t> chunks;
  for (const auto& [keyword, text] : texts) {
    append_text(chunks, keyword, text);
  }
  bytes.insert(bytes.begin() + kHeaderEnd, chunks.begin(), chunks.end());
  return bytes;
}

void write_png(const std::filesystem::path& file, const Picture& picture) {
  const std::vector<std::uint8_t> bytes = encode_png(picture);
  write_file_atomically(file, std::as_bytes(std::span(bytes)));
}

Picture read_png(const std::filesystem::path& file, Transparency transparency) {
  const std::string path = file.string();
  const auto fail = [&path](const char* message) {
    throw_error(Error::Kind::data, "{}: cannot read as PNG: {}", path, message);
  };
  Image image;
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) {
    fail(image.message);
  }
  if (std::int64_t{image.height} * image.width > kMaxPixels) {
    throw_error(Error::Kind::data, "{}: {}x{} pixels are too many; at most {} are read", path, image.height,
                image.width, kMaxPixels);
  }
  const bool colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  const bool has_opacity = transparency == Transparency::kept && (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  // Without this flag libpng takes 16 bits without a gamma for linear light, and brightens them.
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;

  Picture picture;
  picture.height = static_cast<int>(image.height);
  picture.width = static_cast<int>(image.width);
  picture.channels = (colour ? 3 : 1) + (has_opacity ? 1 : 0);
  image.format = kFormats[picture.channels - 1];
  picture.pixels.resize(PNG_IMAGE_SIZE(image));
  const png_color white = {255, 255, 255};
  if (png_image_finish_read(&image, &white, picture.pixels.data(), 0, nullptr) == 0) {
    fail(image.message);
  }
  return picture;
}

}  // namespace duel
