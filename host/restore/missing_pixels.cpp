#include "host/restore/missing_pixels.h"

#include "host/pictures/edges.h"
#include "kernels/check.h"

#include <algorithm>

namespace duel {

namespace {

constexpr std::uint8_t kMissingColour = 128;

std::vector<std::uint8_t> by_mask(const Picture& colours, const std::string& file, const PixelMask& mask) {
  if (mask.picture.height != colours.height || mask.picture.width != colours.width) {
    throw_error(Error::Kind::data, "{}: has {}x{} pixels, but the mask {} has {}x{}", file, colours.width,
                colours.height, mask.file, mask.picture.width, mask.picture.height);
  }
  std::vector<std::uint8_t> known;
  known.reserve(mask.picture.pixels.size());
  for (const std::uint8_t value : mask.picture.pixels) {
    known.push_back(value >= 128 ? 0 : 255);
  }
  return known;
}

std::vector<std::uint8_t> by_opacity(const std::vector<std::uint8_t>& alpha, const std::string& file) {
  if (alpha.empty()) {
    throw_error(Error::Kind::data,
                "{}: nothing says which pixels are missing; give --mask MASK, white where they are, or make them "
                "transparent",
                file);
  }
  std::vector<std::uint8_t> known;
  known.reserve(alpha.size());
  for (const std::uint8_t value : alpha) {
    known.push_back(value == 0 ? 0 : 255);
  }
  return known;
}

}  // namespace

PixelMask read_mask(const std::string& file) {
  return {file, luma_of(read_whole_photograph(file).colours)};
}

std::vector<std::uint8_t> known_pixels_of(const WholePhotograph& photograph, const std::string& file,
                                          const PixelMask* mask) {
  std::vector<std::uint8_t> known =
      mask == nullptr ? by_opacity(photograph.alpha, file) : by_mask(photograph.colours, file, *mask);
  const auto missing = std::count(known.begin(), known.end(), 0);
  if (missing == 0 || missing == std::ssize(known)) {
    throw_error(Error::Kind::data, "{}: {} of its pixels is {}, so there is nothing to {}", file,
                missing == 0 ? "none" : "every one",
                mask == nullptr ? "transparent" : "white in the mask " + mask->file,
                missing == 0 ? "repair" : "repair it from");
  }
  return known;
}

Picture with_missing_pixels(const Picture& colours, const std::vector<std::uint8_t>& known) {
  Picture given{colours.height, colours.width, colours.channels + 1, {}};
  given.pixels.reserve(known.size() * given.channels);
  for (std::size_t pixel = 0; pixel < known.size(); ++pixel) {
    for (int c = 0; c < colours.channels; ++c) {
      given.pixels.push_back(known[pixel] == 0 ? kMissingColour : colours.pixels[pixel * colours.channels + c]);
    }
    given.pixels.push_back(known[pixel]);
  }
  return given;
}

}  // namespace duel
