#include "host/pictures/resample.h"

#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace duel {

namespace {

// So many rows are narrowed side by side: then the innermost loop runs over neighbours in memory, and the compiler
// makes vectors of it. Along a row it would meet the channels in turn.
constexpr int kRows = 16;

double bilinear(double x) {
  return std::max(0.0, 1 - std::abs(x));
}

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) {
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  }
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

double lanczos(double x) {
  return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

struct Filter {
  double (*weight)(double);
  int reach;  // beyond it the weight is 0
};

Filter filter_of(ResampleFilter filter) {
  switch (filter) {
    case ResampleFilter::bilinear: return {bilinear, 1};
    case ResampleFilter::bicubic: return {bicubic, 2};
    default: return {lanczos, 3};
  }
}

std::uint8_t to_byte(float value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F) + 0.5F);
}

}  // namespace

Resampler::Weights::Weights(int from, int to, ResampleFilter filter) {
  const auto [weight, lobes] = filter_of(filter);
  const double scale = static_cast<double>(from) / to;
  const double stretch = std::max(scale, 1.0);
  const double reach = lobes * stretch;
  taps = std::min(from, 2 * static_cast<int>(std::ceil(reach)) + 1);
  first.resize(static_cast<std::size_t>(to));
  values.resize(static_cast<std::size_t>(to) * taps);
  std::vector<double> exact(static_cast<std::size_t>(taps));
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int begin = std::max(0, static_cast<int>(centre - reach + 0.5));
    const int end = std::min(from, static_cast<int>(centre + reach + 0.5));
    const int start = std::min(begin, from - taps);  // all taps lie within the picture
    std::fill(exact.begin(), exact.end(), 0);
    double sum = 0;
    for (int x = begin; x < end; ++x) {
      sum += exact[x - start] = weight((x - centre + 0.5) / stretch);
    }
    first[i] = start;
    std::transform(exact.begin(), exact.end(), &values[static_cast<std::size_t>(i) * taps],
                   [&](double value) { return static_cast<float>(value / sum); });
  }
}

Resampler::Resampler(PictureSize from, PictureSize to, int channels, ResampleFilter filter)
    : from_(from),
      to_(to),
      channels_(channels),
      across_(from.width, to.width, filter),
      down_(from.height, to.height, filter),
      narrowed_(static_cast<std::size_t>(from.height) * to.width * channels),
      strip_(static_cast<std::size_t>(from.width) * channels * kRows),
      sums_(static_cast<std::size_t>(to.width) * channels) {}

void Resampler::add_rows(const std::uint8_t* first, int rows, std::size_t stride) {
  check(rows >= 0 && added_ + rows <= from_.height, "Resampler::add_rows: {} rows behind {} of {}", rows, added_,
        from_.height);
  const int inputs = from_.width * channels_, outputs = to_.width * channels_;
  for (int begin = 0; begin < rows; begin += kRows) {
    const int count = std::min(kRows, rows - begin);
    for (int row = 0; row < count; ++row) {
      const std::uint8_t* from = first + static_cast<std::size_t>(begin + row) * stride;
      for (int i = 0; i < inputs; ++i) {
        strip_[static_cast<std::size_t>(i) * kRows + row] = from[i];
      }
    }
    std::uint8_t* to = &narrowed_[static_cast<std::size_t>(added_ + begin) * outputs];
    for (int i = 0; i < outputs; ++i) {
      const int x = i / channels_, channel = i % channels_;
      const float* in = &strip_[(static_cast<std::size_t>(across_.first[x]) * channels_ + channel) * kRows];
      const float* weights = &across_.values[static_cast<std::size_t>(x) * across_.taps];
      float sums[kRows] = {};
      for (int tap = 0; tap < across_.taps; ++tap, in += channels_ * kRows) {
        for (int row = 0; row < kRows; ++row) {
          sums[row] += weights[tap] * in[row];
        }
      }
      for (int row = 0; row < count; ++row) {
        to[static_cast<std::size_t>(row) * outputs + i] = to_byte(sums[row]);
      }
    }
  }
  added_ += rows;
}

Picture Resampler::finish() {
  check(added_ == from_.height, "Resampler::finish: {} of {} rows were added", added_, from_.height);
  const std::size_t row = static_cast<std::size_t>(to_.width) * channels_;
  Picture picture{to_.height, to_.width, channels_, {}};
  picture.pixels.resize(row * to_.height);
  for (int y = 0; y < to_.height; ++y) {
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    for (int tap = 0; tap < down_.taps; ++tap) {
      const float weight = down_.values[static_cast<std::size_t>(y) * down_.taps + tap];
      const std::uint8_t* from = &narrowed_[row * (down_.first[y] + tap)];
      for (std::size_t i = 0; i < row; ++i) {
        sums_[i] += weight * from[i];
      }
    }
    std::transform(sums_.begin(), sums_.end(), &picture.pixels[row * y], to_byte);
  }
  return picture;
}

Picture resampled(const Picture& picture, PictureSize size, ResampleFilter filter) {
  Resampler resampler({picture.height, picture.width}, size, picture.channels, filter);
  resampler.add_rows(picture.pixels.data(), picture.height, static_cast<std::size_t>(picture.width) * picture.channels);
  return resampler.finish();
}

}  // namespace duel
