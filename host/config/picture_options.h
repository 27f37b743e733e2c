// Values of options that describe pictures: extents and colours as people write them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace duel {

inline constexpr int kMostPictureExtent = 1024;

struct PictureExtents {
  int width = 0, height = 0;
};

// "WxH", from 1 to kMostPictureExtent each; none where it is anything else.
std::optional<PictureExtents> picture_extents(std::string_view text);

// "RRGGBB", six hexadecimal digits; none where it is anything else.
std::optional<std::array<std::uint8_t, 3>> colour_of_digits(std::string_view text);

}  // namespace duel
