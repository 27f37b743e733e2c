// Sets as tools/make_tryon.py makes them, of squares on grounds that are worn some pixels further right and down.
#pragma once

#include "host/pictures/png.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

namespace duel::test {

inline constexpr int kTryonSide = 32, kTryonRight = 4, kTryonDown = 2;

inline void draw_tryon_row(const std::filesystem::path& part, int row) {
  const auto draw = [&](const char* field, int channels, const auto& value) {
    Picture picture{kTryonSide, kTryonSide, channels, {}};
    for (int y = 0; y < kTryonSide; ++y) {
      for (int x = 0; x < kTryonSide; ++x) {
        for (int c = 0; c < channels; ++c) {
          picture.pixels.push_back(static_cast<std::uint8_t>(value(y, x, c)));
        }
      }
    }
    std::filesystem::create_directories(part / field);
    write_png(part / field / (std::to_string(row) + ".png"), picture);
  };
  const auto is_in = [](int y, int x) { return y >= 6 && y < 22 && x >= 8 && x < 20; };
  const auto colour = [row](int y, int x, int c) { return (row * 37 + c * 80 + 9 * (y % 4) + 5 * (x % 3)) % 256; };
  const auto ground = [row](int c) { return 100 + row * 5 + 20 * c; };
  const auto is_worn = [&](int y, int x) { return is_in(y - kTryonDown, x - kTryonRight); };
  draw("person", 3, [&](int y, int x, int c) { return is_worn(y, x) ? 128 : ground(c); });
  draw("body", 3, [&](int y, int x, int c) { return is_worn(y, x) && c == 1 ? 255 : 0; });
  draw("garment", 4, [&](int y, int x, int c) {
    return c == 3 ? 255 * is_in(y, x) : is_in(y, x) ? colour(y, x, c) : 255;
  });
  draw("picture", 3,
       [&](int y, int x, int c) { return is_worn(y, x) ? colour(y - kTryonDown, x - kTryonRight, c) : ground(c); });
  draw("worn", 1, [&](int y, int x, int) { return 255 * is_worn(y, x); });
  draw("flow", 3, [&](int y, int x, int c) {
    const auto steps = [](double share) { return static_cast<int>(std::lround((share + 0.5) / 2 * 4095)); };
    const int column = steps((x + 0.5 - kTryonRight) / kTryonSide), line = steps((y + 0.5 - kTryonDown) / kTryonSide);
    return c == 0 ? column >> 4 : c == 1 ? line >> 4 : (column & 15) << 4 | (line & 15);
  });
}

// So many rows in SET/train, 0.png and so on, and in SET/test, from 20.png on.
inline void draw_tryon_set(const std::filesystem::path& set, int train_rows, int test_rows) {
  for (int row = 0; row < train_rows; ++row) {
    draw_tryon_row(set / "train", row);
  }
  for (int row = 0; row < test_rows; ++row) {
    draw_tryon_row(set / "test", 20 + row);
  }
}

}  // namespace duel::test
