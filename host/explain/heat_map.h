// What a method found, as pictures for people: numbers of pixels or places laid over a faded grey picture, the stronger
// the less of it shines through.
//
// What speaks in one direction is coloured by matplotlib's inferno, whose lightness grows evenly (Smith & van der Walt,
// 2015); what speaks for and against by ColorBrewer's red and blue (RdBu), which colour-blind people tell apart.
#pragma once

#include "host/pictures/png.h"
#include "kernels/tensor.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace duel {

// Of each pixel of [1,H,W,C] the greatest magnitude of its channels, and their sum: [H,W].
std::vector<float> greatest_magnitudes(std::span<const float> attributions, const Shape& shape);
std::vector<float> channel_sums(std::span<const float> attributions, const Shape& shape);

// [h,w] at another size, bilinear between the middles of places.
std::vector<float> enlarged_map(std::span<const float> map, int height, int width, int to_height, int to_width);

enum class HeatColours : std::uint8_t {
  strength,   // from 0: dark to light
  direction,  // below 0 blue, above red
};

std::array<std::uint8_t, 3> heat_colour(HeatColours colours, double value);  // 0..1, or -1..1

// The magnitude from which on a map has its fullest colour: that which a hundredth of its pixels exceed; 0 of a map of
// zeros.
double full_strength(std::span<const float> map);

// RGB of the size of the map, [H,W] as the picture [1,H,W,C] in -1..1.
Picture heat_over(std::span<const float> map, HeatColours colours, double full, std::span<const float> picture,
                  const Shape& shape);

// Each pixel as a square of so many.
Picture enlarged(const Picture& picture, int factor);
Picture in_colour(const Picture& picture);  // RGB; opacity on white

}  // namespace duel
