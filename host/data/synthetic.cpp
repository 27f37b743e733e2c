// A product is a region of the square -1..1 (u to the right, v down), which each picture scales and shifts. Only
// + - * / and comparisons of doubles are used, which IEEE 754 defines to the last bit, so that every machine draws
// the same bytes.
#include "host/data/synthetic.h"

#include "host/data/memory_source.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace duel {
namespace {

constexpr int kLargestSide = 8192;
constexpr int kSubsamples = 3;  // a side, within a pixel

// The uniform number in 0..1 for one purpose in one picture (SplitMix64 as a hash: Steele, Lea, Flood 2014).
double uniform(int picture, int purpose) {
  std::uint64_t z = (static_cast<std::uint64_t>(picture) * 16 + static_cast<std::uint64_t>(purpose) + 1) *
                    std::uint64_t{0x9e3779b97f4a7c15};
  z = (z ^ (z >> 30)) * std::uint64_t{0xbf58476d1ce4e5b9};
  z = (z ^ (z >> 27)) * std::uint64_t{0x94d049bb133111eb};
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

bool in_ellipse(double u, double v, double centre_v, double radius_u, double radius_v) {
  const double x = u / radius_u;
  const double y = (v - centre_v) / radius_v;
  return x * x + y * y <= 1;
}

// Between the lines v = top and v = bottom, with half the width changing evenly from one to the other.
bool in_trapezoid(double u, double v, double top, double bottom, double top_half, double bottom_half) {
  return v >= top && v <= bottom && std::abs(u) <= top_half + (bottom_half - top_half) * (v - top) / (bottom - top);
}

// `fashion` in 0..1 varies the proportions within a kind.
bool in_product(int kind, double fashion, double u, double v) {
  const double side = std::abs(u);
  switch (kind) {
    case 0:  // box
      return side <= 0.9 && std::abs(v) <= 0.5 + 0.4 * fashion;
    case 1:  // plate
      return in_ellipse(u, v, 0, 0.95, 0.55 + 0.4 * fashion);
    case 2: {  // trousers: a waistband, and two legs that part below it
      const double crotch = -0.35;
      return in_trapezoid(u, v, -0.95, 0.95, 0.38, 0.42 + 0.2 * fashion) &&
             (v < crotch || side >= 0.04 + (0.1 + 0.14 * fashion) * (v - crotch));
    }
    case 3: {  // shirt: a trunk with a neckline, and sleeves that fall away from the shoulders
      const bool trunk = side <= 0.5 && v >= -0.8 && v <= 0.85;
      const double shoulder = -0.8 + 0.5 * (side - 0.3);
      const bool sleeve = side >= 0.3 && side <= 0.95 && v >= shoulder && v <= shoulder + 0.4 + 0.8 * fashion;
      const bool above = side > 0.3 && v < shoulder;
      return ((trunk && !above) || sleeve) && !in_ellipse(u, v, -0.82, 0.2, 0.16);
    }
    case 4:  // dress: a bodice above a skirt
      return (in_trapezoid(u, v, -0.95, -0.2, 0.32, 0.22) && !in_ellipse(u, v, -0.97, 0.17, 0.25)) ||
             in_trapezoid(u, v, -0.2, 0.95, 0.22, 0.4 + 0.4 * fashion);
    case 5: {  // shoe: a toe that slopes down to the left, a shaft on the right, a sole with a heel
      const double top = -0.7 * fashion;
      const bool shaft = u >= 0.2 && u <= 0.9 && v >= top && v <= 0.5;
      const bool toe = u >= -0.95 && u <= 0.3 && v <= 0.5 && v >= 0.3 - 0.3 * (u + 0.95);
      const bool sole = side <= 0.95 && v >= 0.5 && v <= (u > 0.4 ? 0.75 : 0.6);
      return shaft || toe || sole;
    }
    case 6: {  // bag: a body under an open handle
      const double rise = 0.55 + 0.3 * fashion;
      const bool handle = v < 0 && in_ellipse(u, v, 0, 0.55, rise) && !in_ellipse(u, v, 0, 0.42, rise - 0.13);
      return in_trapezoid(u, v, -0.05, 0.85, 0.8, 0.95) || handle;
    }
    default:  // bottle: a neck, a shoulder, a body
      return (side <= 0.14 && v >= -0.95 && v <= -0.3) || (side <= 0.19 && v >= -0.95 && v <= -0.85) ||
             in_trapezoid(u, v, -0.5, -0.2, 0.14, 0.25 + 0.25 * fashion) ||
             (side <= 0.25 + 0.25 * fashion && v >= -0.2 && v <= 0.95);
  }
}

// Brightness 0..1 of red, green and blue: a hue around the colour circle, mixed with white.
std::array<double, 3> colour_of(int picture) {
  const double hue = 6 * uniform(picture, 6);
  const double saturation = 0.25 + 0.7 * uniform(picture, 7);
  std::array<double, 3> colour{};
  for (int c = 0; c < 3; ++c) {
    double turned = hue + 6 - 2 * c;
    turned -= turned >= 6 ? 6 : 0;
    const double pure = std::clamp(std::abs(turned - 3) - 1, 0.0, 1.0);
    colour[static_cast<std::size_t>(c)] = 1 - saturation + saturation * pure;
  }
  return colour;
}

void draw_picture(int picture, int height, int width, int channels, std::uint8_t* pixels /* [H,W,C] */) {
  const int kind = picture % kSyntheticKinds;
  const double reach_u = 0.6 + 0.35 * uniform(picture, 0);
  const double reach_v = 0.6 + 0.35 * uniform(picture, 1);
  const double centre_u = (1 - reach_u) * (2 * uniform(picture, 2) - 1) * 0.5;
  const double centre_v = (1 - reach_v) * (2 * uniform(picture, 3) - 1) * 0.5;
  const double tone = 110 + 145 * uniform(picture, 4);
  const double shading = 0.4 * uniform(picture, 5);  // how much darker the foot is than the top
  const double fashion = uniform(picture, 8);
  const bool has_opacity = channels == 2 || channels == 4;
  const int tones = has_opacity ? channels - 1 : channels;
  const std::array<double, 3> colour = tones == 3 ? colour_of(picture) : std::array<double, 3>{1, 1, 1};

  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      int hits = 0;
      for (int sample = 0; sample < kSubsamples * kSubsamples; ++sample) {
        const double across = x + (sample % kSubsamples + 0.5) / kSubsamples;
        const double down = y + (sample / kSubsamples + 0.5) / kSubsamples;
        const double u = (2 * across / width - 1 - centre_u) / reach_u;
        const double v = (2 * down / height - 1 - centre_v) / reach_v;
        hits += in_product(kind, fashion, u, v) ? 1 : 0;
      }
      const double coverage = static_cast<double>(hits) / (kSubsamples * kSubsamples);
      const double light = tone * coverage * (1 - shading * (y + 0.5) / height);
      for (int c = 0; c < tones; ++c) {
        *pixels++ = static_cast<std::uint8_t>(light * colour[static_cast<std::size_t>(c)] + 0.5);
      }
      if (has_opacity) {
        *pixels++ = static_cast<std::uint8_t>(255 * coverage + 0.5);
      }
    }
  }
}

void check_extents(const Options::Data& options) {
  const int height = options.synthetic_height;
  const int width = options.synthetic_width;
  const int channels = options.synthetic_channels;
  const auto valid_side = [](int side) { return side >= 1 && side <= kLargestSide; };
  if (options.synthetic_count < 1 || !valid_side(height) || !valid_side(width) || channels < 1 || channels > 4) {
    throw_error(Error::Kind::usage,
                "synthetic: cannot draw {} pictures of {}x{} with {} channels; it takes at least 1 picture, sides of 1 "
                "to {}, and 1 to 4 channels",
                options.synthetic_count, height, width, channels, kLargestSide);
  }
  const std::int64_t bytes = std::int64_t{options.synthetic_count} * height * width * channels;
  if (bytes > std::numeric_limits<std::int32_t>::max()) {
    throw_error(Error::Kind::usage, "synthetic: {} pictures of {}x{}x{} are {} bytes; at most {} are drawn",
                options.synthetic_count, height, width, channels, bytes, std::numeric_limits<std::int32_t>::max());
  }
}

// Pictures `first` and following.
std::unique_ptr<const Source> draw_range(const Options::Data& options, int first, int count) {
  const int height = options.synthetic_height, width = options.synthetic_width, channels = options.synthetic_channels;
  const std::int64_t picture_bytes = std::int64_t{height} * width * channels;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * picture_bytes));
  std::vector<std::int32_t> labels;
  for (int n = 0; n < count; ++n) {
    draw_picture(first + n, height, width, channels, pixels.data() + n * picture_bytes);
    labels.push_back((first + n) % kSyntheticKinds);
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back({picture_field("picture", height, width, channels), std::move(pixels)});
  columns.push_back({label_field("label", {"Box", "Plate", "Trousers", "Shirt", "Dress", "Shoe", "Bag", "Bottle"}),
                     bytes_of(std::span<const std::int32_t>(labels))});
  return std::make_unique<MemorySource>("synthetic", std::move(columns));
}

}  // namespace

std::unique_ptr<const Source> draw_synthetic(const Options::Data& options) {
  check_extents(options);
  return draw_range(options, 0, options.synthetic_count);
}

std::unique_ptr<const Source> draw_held_out_synthetic(const Options::Data& options) {
  check_extents(options);
  return draw_range(options, options.synthetic_count, std::max(options.synthetic_count / 8, 1));
}

}  // namespace duel
