#include "host/pictures/fit_picture.h"

#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace duel {

namespace {

using Colour = std::array<std::uint8_t, 3>;

struct Pixel {
  Colour colour;
  std::uint8_t opacity;
};

Pixel pixel_at(const Picture& picture, int y, int x) {
  const std::uint8_t* p =
      &picture.pixels[(static_cast<std::size_t>(y) * picture.width + x) * static_cast<std::size_t>(picture.channels)];
  switch (picture.channels) {
    case 1: return {{p[0], p[0], p[0]}, 255};
    case 2: return {{p[0], p[0], p[0]}, p[1]};
    case 3: return {{p[0], p[1], p[2]}, 255};
    default: return {{p[0], p[1], p[2]}, p[3]};
  }
}

// ITU-R BT.601's, as JPEG has it. A grey pixel keeps its value.
std::uint8_t luma(const Colour& c) {
  return static_cast<std::uint8_t>((299 * c[0] + 587 * c[1] + 114 * c[2] + 500) / 1000);
}

Colour laid_on(const Pixel& pixel, const Colour& background) {
  Colour mixed{};
  for (std::size_t c = 0; c < mixed.size(); ++c) {
    const int sum = pixel.colour[c] * pixel.opacity + background[c] * (255 - pixel.opacity);
    mixed[c] = static_cast<std::uint8_t>((sum + 127) / 255);
  }
  return mixed;
}

void write_pixel(const Pixel& pixel, const Colour& background, int channels, std::uint8_t* to) {
  if (channels == 4) {
    std::copy(pixel.colour.begin(), pixel.colour.end(), to);
    to[3] = pixel.opacity;
    return;
  }
  const Colour colour = laid_on(pixel, background);
  if (channels == 1) {
    *to = luma(colour);
  } else {
    std::copy(colour.begin(), colour.end(), to);
  }
}

// From the form's coordinate to the picture's, with the centres above each other.
int first_of(int form, int picture) {
  return picture >= form ? (picture - form) / 2 : -((form - picture) / 2);
}

}  // namespace

PictureSize fitted_size(PictureSize size, const PictureForm& form) {
  const double tall = static_cast<double>(form.height) / size.height;
  const double wide = static_cast<double>(form.width) / size.width;
  double scale = form.fit == Fit::cover ? std::max(tall, wide) : std::min(tall, wide);
  if (form.fit == Fit::pad) {
    scale = std::min(scale, 1.0);
  }
  const auto scaled = [&](int from, int wanted) {
    const int length = static_cast<int>(std::lround(from * scale));
    return form.fit == Fit::cover ? std::max(length, wanted) : std::clamp(length, 1, wanted);
  };
  return {scaled(size.height, form.height), scaled(size.width, form.width)};
}

Picture turned(const Picture& picture, int orientation) {
  if (orientation < 2 || orientation > 8) {
    return picture;
  }
  Picture to{picture.height, picture.width, picture.channels, {}};
  if (swaps_sides(orientation)) {
    std::swap(to.height, to.width);
  }
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const auto channels = static_cast<std::size_t>(picture.channels);
  to.pixels.reserve(picture.pixels.size());
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) {
      const int row = swaps_sides(orientation) ? x : y, column = swaps_sides(orientation) ? y : x;
      const int from_y = from_below ? picture.height - 1 - row : row;
      const int from_x = from_right ? picture.width - 1 - column : column;
      const auto first =
          picture.pixels.begin() +
          static_cast<std::ptrdiff_t>((static_cast<std::size_t>(from_y) * picture.width + from_x) * channels);
      to.pixels.insert(to.pixels.end(), first, first + picture.channels);
    }
  }
  return to;
}

Colour border_colour(const Picture& picture) {
  std::array<std::array<int, 256>, 3> counts{};
  int count = 0;
  const auto look_at = [&](int y, int x) {
    const Pixel pixel = pixel_at(picture, y, x);
    if (pixel.opacity == 255) {
      ++count;
      for (std::size_t c = 0; c < counts.size(); ++c) {
        ++counts[c][pixel.colour[c]];
      }
    }
  };
  for (int x = 0; x < picture.width; ++x) {
    look_at(0, x);
    look_at(picture.height - 1, x);
  }
  for (int y = 1; y < picture.height - 1; ++y) {
    look_at(y, 0);
    look_at(y, picture.width - 1);
  }
  Colour median = {255, 255, 255};
  for (std::size_t c = 0; count > 0 && c < counts.size(); ++c) {
    int value = 0;
    for (int below = counts[c][0]; 2 * below < count; below += counts[c][static_cast<std::size_t>(value)]) {
      ++value;
    }
    median[c] = static_cast<std::uint8_t>(value);
  }
  return median;
}

void fill_form(const Picture& scaled, const PictureForm& form, std::span<std::uint8_t> to) {
  check(std::ssize(to) == std::int64_t{form.height} * form.width * form.channels,
        "fill_form: {} bytes are not {}x{}x{}", to.size(), form.height, form.width, form.channels);
  const Colour background = form.background ? *form.background : border_colour(scaled);
  const int top = first_of(form.height, scaled.height), left = first_of(form.width, scaled.width);
  std::uint8_t* next = to.data();
  for (int y = top; y < top + form.height; ++y) {
    for (int x = left; x < left + form.width; ++x) {
      const bool is_inside = y >= 0 && y < scaled.height && x >= 0 && x < scaled.width;
      write_pixel(is_inside ? pixel_at(scaled, y, x) : Pixel{background, 0}, background, form.channels, next);
      next += form.channels;
    }
  }
}

}  // namespace duel
