// Pictures of 8 bits a channel, and PNG files of them.
//
// Equal pictures become equal bytes: no time is written. A file appears whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace duel {

struct Picture {
  int height = 0, width = 0;
  int channels = 0;                  // 1 grey, 2 grey and opacity, 3 RGB, 4 RGB and opacity
  std::vector<std::uint8_t> pixels;  // [height, width, channels]

  bool operator==(const Picture&) const = default;
};

// What a file says of its picture, by keywords: 1 to 79 letters of ASCII, as "Software"; values are UTF-8.
using PngTexts = std::vector<std::pair<std::string, std::string>>;

std::vector<std::uint8_t> encode_png(const Picture& picture, const PngTexts& texts = {});

// Errors are of kind `data` and begin with the path.
void write_png(const std::filesystem::path& file, const Picture& picture);

// Every kind of PNG is read: palettes are looked up, 16 bits become 8. Transparency is laid on white, unless it is to
// be kept: then a picture that has any has 2 or 4 channels. At most 2^28 pixels.
enum class Transparency : std::uint8_t { on_white, kept };
Picture read_png(const std::filesystem::path& file, Transparency transparency = Transparency::on_white);

}  // namespace duel
