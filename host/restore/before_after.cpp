#include "host/restore/before_after.h"

#include "host/pictures/resample.h"

#include <algorithm>

namespace duel {

namespace {

struct Place {
  int y = 0, x = 0;
};

// The middle of the box about what is missing, otherwise of the picture.
Place middle_of(const Picture& given) {
  const bool has_opacity = given.channels % 2 == 0;
  int top = given.height, left = given.width, bottom = -1, right = -1;
  for (int y = 0; has_opacity && y < given.height; ++y) {
    for (int x = 0; x < given.width; ++x) {
      const std::size_t pixel = static_cast<std::size_t>(y) * given.width + x;
      if (given.pixels[(pixel + 1) * given.channels - 1] == 0) {
        top = std::min(top, y), bottom = std::max(bottom, y);
        left = std::min(left, x), right = std::max(right, x);
      }
    }
  }
  return bottom < 0 ? Place{given.height / 2, given.width / 2} : Place{(top + bottom) / 2, (left + right) / 2};
}

Picture part_of(const Picture& picture, Place corner, int height, int width) {
  Picture part{height, width, picture.channels, {}};
  for (int y = corner.y; y < corner.y + height; ++y) {
    const auto* first =
        picture.pixels.data() + (static_cast<std::size_t>(y) * picture.width + corner.x) * picture.channels;
    part.pixels.insert(part.pixels.end(), first, first + static_cast<std::ptrdiff_t>(width) * picture.channels);
  }
  return part;
}

}  // namespace

CaptionedRow before_after(const std::string& name, const Picture& given, const Picture& made, int scale) {
  const int height = std::min(kDetail / scale, given.height), width = std::min(kDetail / scale, given.width);
  const Place middle = middle_of(given);
  const Place corner{std::clamp(middle.y - height / 2, 0, given.height - height),
                     std::clamp(middle.x - width / 2, 0, given.width - width)};
  Picture before = part_of(given, corner, height, width);
  if (scale > 1) {
    before = resampled(before, {scale * height, scale * width}, ResampleFilter::bicubic);
  }
  const Picture after = part_of(made, {scale * corner.y, scale * corner.x}, scale * height, scale * width);
  CaptionedRow row;
  row.heading = name;
  row.pictures = {{before, {scale > 1 ? "before, by bicubic" : "before"}}, {after, {"after"}}};
  return row;
}

}  // namespace duel
