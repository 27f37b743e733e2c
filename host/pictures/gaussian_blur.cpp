#include "host/pictures/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace duel {

namespace {

std::vector<float> weights_of(double deviation) {
  const int reach = static_cast<int>(4 * deviation + 0.5);
  std::vector<double> exact;
  double sum = 0;
  for (int i = -reach; i <= reach; ++i) {
    exact.push_back(std::exp(-0.5 * i * i / (deviation * deviation)));
    sum += exact.back();
  }
  std::vector<float> weights;
  for (const double each : exact) {
    weights.push_back(static_cast<float>(each / sum));
  }
  return weights;
}

int mirrored(int place, int count) {
  const int period = 2 * count;
  place = ((place % period) + period) % period;
  return place < count ? place : period - 1 - place;
}

}  // namespace

Picture gaussian_blurred(const Picture& picture, double deviation) {
  const std::vector<float> weights = weights_of(deviation);
  const int reach = static_cast<int>(weights.size()) / 2;
  const std::size_t channels = static_cast<std::size_t>(picture.channels), row = picture.width * channels;
  std::vector<float> across(picture.pixels.size());
  for (int x = 0; x < picture.width; ++x) {
    for (int tap = 0; tap < static_cast<int>(weights.size()); ++tap) {
      const std::size_t from = mirrored(x + tap - reach, picture.width) * channels;
      for (int y = 0; y < picture.height; ++y) {
        for (std::size_t c = 0; c < channels; ++c) {
          across[y * row + x * channels + c] += weights[tap] * picture.pixels[y * row + from + c];
        }
      }
    }
  }
  Picture result = picture;
  std::vector<float> sums(row);
  for (int y = 0; y < picture.height; ++y) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (int tap = 0; tap < static_cast<int>(weights.size()); ++tap) {
      const float* from = &across[mirrored(y + tap - reach, picture.height) * row];
      for (std::size_t i = 0; i < row; ++i) {
        sums[i] += weights[tap] * from[i];
      }
    }
    std::transform(sums.begin(), sums.end(), &result.pixels[y * row],
                   [](float value) { return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L)); });
  }
  return result;
}

}  // namespace duel
