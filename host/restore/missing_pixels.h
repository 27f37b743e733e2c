// Which pixels of a photograph are to be made anew, and the photograph as a network is given it that makes them.
#pragma once

#include "host/pictures/png.h"
#include "host/pictures/whole_photograph.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

struct PixelMask {
  std::string file;
  Picture picture;  // of 1 channel; 128 and more: missing
};
// Throws kind `data` where the file cannot be read.
PixelMask read_mask(const std::string& file);

// [height, width]: 0 where a pixel is missing, else 255. Without a mask those are missing that are wholly transparent.
// Throws kind `data`, beginning with the photograph's path: a mask of another size, nothing missing, everything
// missing.
std::vector<std::uint8_t> known_pixels_of(const WholePhotograph& photograph, const std::string& file,
                                          const PixelMask* mask);

// The colours of a photograph, 1 or 3, with `known` as the last channel; what is missing is mid-grey.
Picture with_missing_pixels(const Picture& colours, const std::vector<std::uint8_t>& known);

}  // namespace duel
