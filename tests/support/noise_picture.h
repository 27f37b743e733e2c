#pragma once

#include "host/pictures/png.h"

#include <cstdint>

namespace duel::test {

// Every value of every pixel by itself, always the same: strong edges everywhere.
inline Picture noise_picture(int height, int width, int channels) {
  Picture picture{height, width, channels, {}};
  std::uint32_t state = 12345;
  for (int i = 0; i < height * width * channels; ++i) {
    state = state * 1664525 + 1013904223;
    picture.pixels.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return picture;
}

}  // namespace duel::test
