#include "host/config/picture_options.h"

#include "host/config/decimal.h"

#include <charconv>
#include <system_error>

namespace duel {

std::optional<PictureExtents> picture_extents(std::string_view text) {
  const std::size_t cross = text.find('x');
  if (cross == text.npos) {
    return std::nullopt;
  }
  const auto width = decimal_integer<int>(text.substr(0, cross));
  const auto height = decimal_integer<int>(text.substr(cross + 1));
  const auto is_extent = [](const std::optional<int>& extent) {
    return extent && *extent >= 1 && *extent <= kMostPictureExtent;
  };
  return is_extent(width) && is_extent(height) ? std::optional(PictureExtents{*width, *height}) : std::nullopt;
}

std::optional<std::array<std::uint8_t, 3>> colour_of_digits(std::string_view text) {
  if (text.size() != 6) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 3> colour{};
  for (std::size_t i = 0; i < 3; ++i) {
    const char* begin = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, colour[i], 16);
    if (error != std::errc() || end != begin + 2) {
      return std::nullopt;
    }
  }
  return colour;
}

}  // namespace duel
