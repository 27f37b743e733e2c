// How a picture of any size comes into a form: to which size it is scaled, how it is turned, and what lies behind and
// beside it. Pure arithmetic on pictures that are small already; decode.h has the meaning of a form.
#pragma once

#include "host/pictures/decode.h"
#include "host/pictures/png.h"

#include <cstdint>
#include <span>

namespace duel {

struct PictureSize {
  int height = 0, width = 0;

  bool operator==(const PictureSize&) const = default;
};

// To which size a picture of `size` is scaled. At least one pixel a side; for Fit::cover no side is less than the
// form's, otherwise none is more.
PictureSize fitted_size(PictureSize size, const PictureForm& form);

// EXIF's orientations, 1 to 8: 1 is as stored, 2 mirrored, 3 upside down, 6 to be turned clockwise by 90 degrees.
constexpr bool swaps_sides(int orientation) {
  return orientation >= 5;
}
Picture turned(const Picture& picture, int orientation);

// The median of each channel of the outermost pixels that are opaque: 1 or 3 channels. White where there are none.
std::array<std::uint8_t, 3> border_colour(const Picture& picture);

// Of a picture scaled by fitted_size(), with 1 to 4 channels, the form: cropped or framed, flattened, grey or in
// colour.
void fill_form(const Picture& scaled, const PictureForm& form, std::span<std::uint8_t> to);

}  // namespace duel
