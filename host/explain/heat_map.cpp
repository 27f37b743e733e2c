#include "host/explain/heat_map.h"

#include "host/pictures/sample_grid.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace duel {

namespace {

using Colour = std::array<double, 3>;

// Every sixteenth of inferno, sRGB.
constexpr std::array<Colour, 17> kInferno = {{{0, 0, 4},
                                              {11, 7, 36},
                                              {33, 12, 74},
                                              {61, 9, 101},
                                              {87, 16, 110},
                                              {113, 25, 110},
                                              {138, 34, 106},
                                              {163, 44, 97},
                                              {188, 55, 84},
                                              {210, 70, 68},
                                              {228, 90, 49},
                                              {241, 115, 29},
                                              {249, 142, 9},
                                              {252, 172, 17},
                                              {249, 203, 53},
                                              {242, 234, 105},
                                              {252, 255, 164}}};
constexpr Colour kAgainst = {5, 113, 176}, kFor = {202, 0, 32};

Colour colour_of(HeatColours colours, double value) {
  if (colours == HeatColours::direction) {
    return value < 0 ? kAgainst : kFor;
  }
  const double place = std::clamp(value, 0.0, 1.0) * (kInferno.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kInferno.size() - 2);
  const double share = place - static_cast<double>(below);
  Colour colour;
  for (std::size_t c = 0; c < 3; ++c) {
    colour[c] = kInferno[below][c] + share * (kInferno[below + 1][c] - kInferno[below][c]);
  }
  return colour;
}

std::uint8_t to_byte(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

// How much of the colour covers the picture.
double cover_of(double strength) {
  return 0.92 * std::pow(std::clamp(strength, 0.0, 1.0), 0.8);
}

}  // namespace

std::vector<float> greatest_magnitudes(std::span<const float> attributions, const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape.back());
  std::vector<float> map(attributions.size() / channels);
  for (std::size_t i = 0; i < attributions.size(); ++i) {
    map[i / channels] = std::max(map[i / channels], std::abs(attributions[i]));
  }
  return map;
}

std::vector<float> channel_sums(std::span<const float> attributions, const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape.back());
  std::vector<float> map(attributions.size() / channels);
  for (std::size_t i = 0; i < attributions.size(); ++i) {
    map[i / channels] += attributions[i];
  }
  return map;
}

std::vector<float> enlarged_map(std::span<const float> map, int height, int width, int to_height, int to_width) {
  // The two places that a pixel lies between, and the share of the second.
  struct Between {
    Between(int pixel, int pixels, int places) {
      const double place = std::clamp((pixel + 0.5) * places / pixels - 0.5, 0.0, places - 1.0);
      first = static_cast<int>(place);
      second = std::min(first + 1, places - 1);
      share = place - first;
    }
    int first, second;
    double share;
  };
  const auto at = [&](int y, int x) {
    return static_cast<double>(
        map[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)]);
  };
  std::vector<float> larger;
  for (int y = 0; y < to_height; ++y) {
    const Between down(y, to_height, height);
    for (int x = 0; x < to_width; ++x) {
      const Between across(x, to_width, width);
      const double upper =
          at(down.first, across.first) * (1 - across.share) + at(down.first, across.second) * across.share;
      const double lower =
          at(down.second, across.first) * (1 - across.share) + at(down.second, across.second) * across.share;
      larger.push_back(static_cast<float>(upper * (1 - down.share) + lower * down.share));
    }
  }
  return larger;
}

std::array<std::uint8_t, 3> heat_colour(HeatColours colours, double value) {
  const Colour colour = colour_of(colours, value);
  // Directions differ by how much they cover alone: here of white.
  const double cover = colours == HeatColours::direction ? cover_of(std::abs(value)) : 1;
  std::array<std::uint8_t, 3> bytes{};
  for (std::size_t c = 0; c < 3; ++c) {
    bytes[c] = to_byte(255 + cover * (colour[c] - 255));
  }
  return bytes;
}

double full_strength(std::span<const float> map) {
  std::vector<float> sizes;
  for (const float value : map) {
    sizes.push_back(std::abs(value));
  }
  const auto place = sizes.begin() + static_cast<std::ptrdiff_t>((sizes.size() - 1) * 99 / 100);
  std::nth_element(sizes.begin(), place, sizes.end());
  // Where less than a hundredth is not zero, the greatest.
  return static_cast<double>(*place > 0 ? *place : *std::max_element(sizes.begin(), sizes.end()));
}

Picture heat_over(std::span<const float> map, HeatColours colours, double full, std::span<const float> picture,
                  const Shape& shape) {
  const Picture below = in_colour(to_picture(picture, shape[1], shape[2], shape[3]));
  Picture over = below;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const double strength = full > 0 ? static_cast<double>(map[i]) / full : 0;
    const double cover = cover_of(std::abs(strength));
    const Colour colour = colour_of(colours, strength);
    const std::uint8_t* rgb = &below.pixels[3 * i];
    const double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    const double faded = colours == HeatColours::strength ? 30 + 0.75 * luma : 255 - 0.55 * (255 - luma);
    for (std::size_t c = 0; c < 3; ++c) {
      over.pixels[3 * i + c] = to_byte(faded + cover * (colour[c] - faded));
    }
  }
  return over;
}

Picture enlarged(const Picture& picture, int factor) {
  Picture larger{picture.height * factor, picture.width * factor, picture.channels, {}};
  for (int y = 0; y < larger.height; ++y) {
    for (int x = 0; x < larger.width; ++x) {
      const std::uint8_t* from =
          &picture.pixels[static_cast<std::size_t>((y / factor * picture.width + x / factor) * picture.channels)];
      larger.pixels.insert(larger.pixels.end(), from, from + picture.channels);
    }
  }
  return larger;
}

Picture in_colour(const Picture& picture) {
  Picture colour{picture.height, picture.width, 3, {}};
  const auto channels = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < picture.pixels.size(); i += channels) {
    const int opacity = channels % 2 == 0 ? picture.pixels[i + channels - 1] : 255;
    for (std::size_t c = 0; c < 3; ++c) {
      const int value = picture.pixels[i + (channels < 3 ? 0 : c)];
      colour.pixels.push_back(static_cast<std::uint8_t>((value * opacity + 255 * (255 - opacity) + 127) / 255));
    }
  }
  return colour;
}

}  // namespace duel
