// Pictures of 8 bits a channel, and PNG files of them.
//
// Equal pictures become equal bytes: no time is written. A file appears whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace duel {

struct Picture {
  int height = 0, width = 0;
  int channels = 0;                  // 1 (grey) or 3 (RGB)
  std::vector<std::uint8_t> pixels;  // [height, width, channels]

  bool operator==(const Picture&) const = default;
};

std::vector<std::uint8_t> encode_png(const Picture& picture);

// Errors are of kind `data` and begin with the path.
void write_png(const std::filesystem::path& file, const Picture& picture);

// Every kind of PNG is read: palettes are looked up, 16 bits become 8, transparency is laid on white. At most 2^28
// pixels.
Picture read_png(const std::filesystem::path& file);

}  // namespace duel
