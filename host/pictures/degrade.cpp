#include "host/pictures/degrade.h"

#include "host/pictures/edges.h"
#include "host/pictures/gaussian_blur.h"
#include "host/pictures/resample.h"
#include "kernels/check.h"
#include "kernels/philox.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace duel {

namespace {

using Kind = DegradationKind;

constexpr auto kRowDraws = static_cast<Purpose>(0xDE62ADE5U);
constexpr std::uint8_t kMissingColour = 128;

// The numbers of a row, one behind the other: the same for every run.
class RowDraws {
public:
  explicit RowDraws(std::uint64_t row) : row_(row) {}

  double unit() {
    if (place_ % 4 == 0) {
      block_ = philox(0, kRowDraws, row_, place_ / 4);
    }
    return static_cast<double>(unit_float(block_[place_++ % 4]));
  }
  double between(double low, double high) { return low + (high - low) * unit(); }
  int integer(int low, int high) {  // both included
    return std::min(high, low + static_cast<int>(unit() * (high - low + 1)));
  }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(unit()));
    return radius * std::cos(2 * std::numbers::pi * unit());
  }

private:
  std::uint64_t row_;
  std::uint32_t place_ = 0;
  PhiloxBlock block_{};
};

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

Picture noisy(const Picture& picture, double from, double to, std::uint64_t row) {
  RowDraws draws(row);
  const double deviation = draws.between(from, to);
  Picture result = picture;
  for (std::uint8_t& value : result.pixels) {
    value = byte_of(value + deviation * draws.normal());
  }
  return result;
}

// Pixels between others count by bilinear weights, beyond the border by the nearest.
Picture moved(const Picture& picture, const Degradation& motion, std::uint64_t row) {
  RowDraws draws(row);
  const double angle = std::numbers::pi * draws.unit();
  const int length = draws.integer(static_cast<int>(motion.from), static_cast<int>(motion.to));
  const double step_x = std::cos(angle), step_y = std::sin(angle);
  Picture result = picture;
  const auto at = [&](int y, int x, int channel) {
    y = std::clamp(y, 0, picture.height - 1);
    x = std::clamp(x, 0, picture.width - 1);
    return static_cast<double>(
        picture.pixels[(static_cast<std::size_t>(y) * picture.width + x) * picture.channels + channel]);
  };
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      std::array<double, 3> sums{};
      for (int i = 0; i < length; ++i) {
        const double along = i - 0.5 * (length - 1);
        const double from_y = y + along * step_y, from_x = x + along * step_x;
        const int top = static_cast<int>(std::floor(from_y)), left = static_cast<int>(std::floor(from_x));
        const double down = from_y - top, right = from_x - left;
        for (int c = 0; c < picture.channels; ++c) {
          sums[c] += (1 - down) * ((1 - right) * at(top, left, c) + right * at(top, left + 1, c)) +
                     down * ((1 - right) * at(top + 1, left, c) + right * at(top + 1, left + 1, c));
        }
      }
      for (int c = 0; c < picture.channels; ++c) {
        result.pixels[(static_cast<std::size_t>(y) * picture.width + x) * picture.channels + c] =
            byte_of(sums[c] / length);
      }
    }
  }
  return result;
}

class KnownPixels {
public:
  KnownPixels(int height, int width)
      : height_(height), width_(width), known_(static_cast<std::size_t>(height) * width, 255) {}

  void miss_box(int top, int left, int height, int width) {
    for (int y = std::max(top, 0); y < std::min(top + height, height_); ++y) {
      for (int x = std::max(left, 0); x < std::min(left + width, width_); ++x) {
        known_[static_cast<std::size_t>(y) * width_ + x] = 0;
      }
    }
  }

  // All pixels at most `radius` away from the line.
  void miss_line(double x0, double y0, double x1, double y1, double radius) {
    const double dx = x1 - x0, dy = y1 - y0, length = std::max(dx * dx + dy * dy, 1e-9);
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        const double along = std::clamp(((x - x0) * dx + (y - y0) * dy) / length, 0.0, 1.0);
        const double away_x = x - (x0 + along * dx), away_y = y - (y0 + along * dy);
        if (away_x * away_x + away_y * away_y <= radius * radius) {
          known_[static_cast<std::size_t>(y) * width_ + x] = 0;
        }
      }
    }
  }

  std::vector<std::uint8_t> take() { return std::move(known_); }

private:
  int height_, width_;
  std::vector<std::uint8_t> known_;
};

// Lengths of the paper are of pictures of 256 pixels a side.
void draw_strokes(KnownPixels& known, int height, int width, RowDraws& draws) {
  const double unit = std::min(height, width) / 256.0;
  if (draws.unit() < 0.5) {
    for (int box = draws.integer(1, 4); box > 0; --box) {
      const int rows = std::max(1, static_cast<int>(draws.between(30, 150) * unit));
      const int columns = std::max(1, static_cast<int>(draws.between(30, 150) * unit));
      const int top = draws.integer(0, std::max(height - rows, 0));
      known.miss_box(top, draws.integer(0, std::max(width - columns, 0)), rows, columns);
    }
    return;
  }
  for (int line = draws.integer(1, 5); line > 0; --line) {
    double x = draws.between(0, width - 1), y = draws.between(0, height - 1);
    const double radius = std::max(0.5, 0.5 * draws.between(5, 105) * unit);
    for (int segment = draws.integer(1, 5); segment > 0; --segment) {
      const double angle = draws.between(0, 2 * std::numbers::pi), length = draws.between(10, 210) * unit;
      const double next_x = std::clamp(x + length * std::cos(angle), 0.0, width - 1.0);
      const double next_y = std::clamp(y + length * std::sin(angle), 0.0, height - 1.0);
      known.miss_line(x, y, next_x, next_y, radius);
      x = next_x;
      y = next_y;
    }
  }
}

bool is_mixed(const std::vector<std::uint8_t>& known) {
  return std::find(known.begin(), known.end(), 0) != known.end() &&
         std::find(known.begin(), known.end(), 255) != known.end();
}

Picture with_holes(const Picture& picture, const std::vector<std::uint8_t>& known) {
  Picture result{picture.height, picture.width, picture.channels + 1, {}};
  result.pixels.reserve(known.size() * result.channels);
  for (std::size_t i = 0; i < known.size(); ++i) {
    for (int c = 0; c < picture.channels; ++c) {
      result.pixels.push_back(known[i] == 0 ? kMissingColour : picture.pixels[i * picture.channels + c]);
    }
    result.pixels.push_back(known[i]);
  }
  return result;
}

std::vector<std::uint8_t> all_known(const Picture& picture) {
  return std::vector<std::uint8_t>(static_cast<std::size_t>(picture.height) * picture.width, 255);
}

int quality_of(const Degradation& jpeg, std::uint64_t row) {
  return RowDraws(row).integer(static_cast<int>(jpeg.from), static_cast<int>(jpeg.to));
}

// The mean of the known pixels in place of those that are missing.
Picture filled(const Picture& picture) {
  const int colours = picture.channels - 1;
  std::array<double, 3> sums{};
  std::int64_t known = 0;
  for (std::size_t at = 0; at < picture.pixels.size(); at += picture.channels) {
    if (picture.pixels[at + colours] == 255) {
      ++known;
      for (int c = 0; c < colours; ++c) {
        sums[c] += picture.pixels[at + c];
      }
    }
  }
  Picture result{picture.height, picture.width, colours, {}};
  for (std::size_t at = 0; at < picture.pixels.size(); at += picture.channels) {
    for (int c = 0; c < colours; ++c) {
      const bool is_known = picture.pixels[at + colours] == 255 || known == 0;
      result.pixels.push_back(is_known ? picture.pixels[at + c] : byte_of(sums[c] / static_cast<double>(known)));
    }
  }
  return result;
}

Picture in_colour(const Picture& grey) {
  Picture result{grey.height, grey.width, 3, {}};
  for (const std::uint8_t value : grey.pixels) {
    result.pixels.insert(result.pixels.end(), 3, value);
  }
  return result;
}

}  // namespace

Picture degraded_form(const Degradation& degradation, int height, int width, int channels) {
  if (degradation.kind != Kind::none && channels != 1 && channels != 3) {
    throw_error(Error::Kind::usage,
                "data.degrade: pictures with opacity, of {} channels, are not spoilt; data.alpha = flatten lays them "
                "on a background",
                channels);
  }
  Picture form{height, width, channels, {}};
  switch (degradation.kind) {
    case Kind::smaller: {
      const int scale = degradation.scale();
      if (height % scale != 0 || width % scale != 0) {
        throw_error(Error::Kind::usage,
                    "data.degrade = x{}: pictures of {}x{} (width, height) cannot be reduced by that to whole pixels; "
                    "choose a --size whose sides are multiples of {}",
                    scale, width, height, scale);
      }
      form.height = height / scale;
      form.width = width / scale;
      break;
    }
    case Kind::hole:
      if (degradation.from >= std::min(height, width)) {
        throw_error(Error::Kind::usage,
                    "data.degrade = hole:{}: leaves nothing beside it in pictures of {}x{} (width, height)",
                    degradation.from, width, height);
      }
      ++form.channels;
      break;
    case Kind::strokes: ++form.channels; break;
    case Kind::several:
      for (const Degradation& job : degradation.jobs) {
        form.channels = std::max(form.channels, degraded_form(job, height, width, channels).channels);
      }
      break;
    case Kind::grey:
    case Kind::edges:
      if (degradation.kind == Kind::grey && channels == 1) {
        throw_error(Error::Kind::usage, "data.degrade = grey: the pictures are grey already");
      }
      form.channels = 1;
      break;
    default: break;
  }
  return form;
}

Picture degraded(const Degradation& degradation, const Picture& picture, std::uint64_t row) {
  const Picture form = degraded_form(degradation, picture.height, picture.width, picture.channels);
  switch (degradation.kind) {
    case Kind::none: return picture;
    case Kind::smaller: return resampled(picture, {form.height, form.width}, ResampleFilter::bicubic);
    case Kind::noise: return noisy(picture, degradation.from, degradation.to, row);
    case Kind::blur: return gaussian_blurred(picture, RowDraws(row).between(degradation.from, degradation.to));
    case Kind::motion: return moved(picture, degradation, row);
    case Kind::jpeg: return through_jpeg(picture, quality_of(degradation, row));
    case Kind::grey: return luma_of(picture);
    case Kind::edges: return edges_of(picture);
    case Kind::hole:
    case Kind::strokes:
      return with_holes(picture, known_pixels(degradation, picture.height, picture.width, row, false));
    case Kind::several: {
      const Picture made = degraded(degradation.jobs[job_of(degradation, row)], picture, row);
      return made.channels == form.channels ? made : with_holes(made, all_known(made));
    }
  }
  return picture;
}

std::size_t job_of(const Degradation& several, std::uint64_t row) {
  return static_cast<std::size_t>(row % several.jobs.size());
}

std::vector<std::uint8_t> known_pixels(const Degradation& degradation, int height, int width, std::uint64_t row,
                                       bool is_placed) {
  check(degradation.has_holes(), "known_pixels: nothing is missing");
  if (degradation.kind == Kind::several) {
    const auto job = std::find_if(degradation.jobs.begin(), degradation.jobs.end(),
                                  [](const Degradation& each) { return each.has_holes(); });
    return known_pixels(*job, height, width, row, is_placed);
  }
  RowDraws draws(row);
  if (degradation.kind == Kind::hole) {
    const int side = static_cast<int>(degradation.from);
    KnownPixels known(height, width);
    const int top = is_placed ? draws.integer(0, height - side) : (height - side) / 2;
    known.miss_box(top, is_placed ? draws.integer(0, width - side) : (width - side) / 2, side, side);
    return known.take();
  }
  for (int attempt = 0; attempt < 100; ++attempt) {  // of a tiny picture strokes may leave nothing, or miss it
    KnownPixels known(height, width);
    draw_strokes(known, height, width, draws);
    std::vector<std::uint8_t> result = known.take();
    if (is_mixed(result)) {
      return result;
    }
  }
  KnownPixels known(height, width);
  known.miss_box(0, 0, std::max(height / 2, 1), std::max(width / 2, 1));
  return known.take();
}

Picture shown_degraded(const Picture& spoilt, int height, int width, int channels) {
  Picture shown = spoilt.channels == channels + 1 ? filled(spoilt) : spoilt;
  if (shown.channels == 1 && channels == 3) {
    shown = in_colour(shown);
  }
  check(shown.channels == channels, "degrade: a picture of {} channels cannot be shown beside one of {}",
        spoilt.channels, channels);
  return shown.height == height && shown.width == width ? shown
                                                        : resampled(shown, {height, width}, ResampleFilter::bicubic);
}

}  // namespace duel
