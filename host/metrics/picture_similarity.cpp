#include "host/metrics/picture_similarity.h"

#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace duel {

namespace {

constexpr int kWindow = kSsimWindow;
constexpr double kC1 = 0.01 * 255 * 0.01 * 255, kC2 = 0.03 * 255 * 0.03 * 255;
constexpr std::array kScaleWeights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

struct Plane {  // one channel
  int height = 0, width = 0;
  std::vector<double> values;

  double at(int y, int x) const { return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + x]; }
};

Plane plane_of(const Picture& picture, int channel) {
  Plane plane{picture.height, picture.width, {}};
  for (std::size_t i = static_cast<std::size_t>(channel); i < picture.pixels.size(); i += picture.channels) {
    plane.values.push_back(picture.pixels[i]);
  }
  return plane;
}

std::array<double, kWindow> gaussian() {
  std::array<double, kWindow> weights{};
  for (int i = 0; i < kWindow; ++i) {
    weights[i] = std::exp(-0.5 * (i - kWindow / 2) * (i - kWindow / 2) / (1.5 * 1.5));
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) {
    weight /= sum;
  }
  return weights;
}

// Where the window lies in the plane.
Plane smoothed(const Plane& plane) {
  static const std::array<double, kWindow> weights = gaussian();
  Plane across{plane.height, plane.width - kWindow + 1, {}};
  for (int y = 0; y < across.height; ++y) {
    for (int x = 0; x < across.width; ++x) {
      double sum = 0;
      for (int i = 0; i < kWindow; ++i) {
        sum += weights[i] * plane.at(y, x + i);
      }
      across.values.push_back(sum);
    }
  }
  Plane down{across.height - kWindow + 1, across.width, {}};
  for (int y = 0; y < down.height; ++y) {
    for (int x = 0; x < down.width; ++x) {
      double sum = 0;
      for (int i = 0; i < kWindow; ++i) {
        sum += weights[i] * across.at(y + i, x);
      }
      down.values.push_back(sum);
    }
  }
  return down;
}

Plane product(const Plane& a, const Plane& b) {
  Plane result{a.height, a.width, a.values};
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    result.values[i] *= b.values[i];
  }
  return result;
}

struct Similarity {
  double all = 0, structure = 0;  // with and without what is said of the means
};

Similarity similarity(const Plane& a, const Plane& b) {
  const Plane mean_a = smoothed(a), mean_b = smoothed(b);
  const Plane aa = smoothed(product(a, a)), bb = smoothed(product(b, b)), ab = smoothed(product(a, b));
  Similarity sum;
  for (std::size_t i = 0; i < mean_a.values.size(); ++i) {
    const double x = mean_a.values[i], y = mean_b.values[i];
    const double structure =
        (2 * (ab.values[i] - x * y) + kC2) / ((aa.values[i] - x * x) + (bb.values[i] - y * y) + kC2);
    sum.structure += structure;
    sum.all += structure * (2 * x * y + kC1) / (x * x + y * y + kC1);
  }
  const auto count = static_cast<double>(mean_a.values.size());
  return {sum.all / count, sum.structure / count};
}

Plane halved(const Plane& plane) {
  Plane half{plane.height / 2, plane.width / 2, {}};
  for (int y = 0; y < half.height; ++y) {
    for (int x = 0; x < half.width; ++x) {
      half.values.push_back((plane.at(2 * y, 2 * x) + plane.at(2 * y, 2 * x + 1) + plane.at(2 * y + 1, 2 * x) +
                             plane.at(2 * y + 1, 2 * x + 1)) /
                            4);
    }
  }
  return half;
}

void check_sizes(const Picture& a, const Picture& b) {
  check(a.height == b.height && a.width == b.width && a.channels == b.channels && !a.pixels.empty(),
        "similarity: a picture of {}x{}x{} cannot be compared with one of {}x{}x{}", a.height, a.width, a.channels,
        b.height, b.width, b.channels);
}

}  // namespace

double psnr(const Picture& a, const Picture& b) {
  check_sizes(a, b);
  double squares = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    const double difference = static_cast<double>(a.pixels[i]) - b.pixels[i];
    squares += difference * difference;
  }
  return squares == 0 ? std::numeric_limits<double>::infinity()
                      : 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.pixels.size()) / squares);
}

double ssim(const Picture& a, const Picture& b) {
  check_sizes(a, b);
  check(ms_ssim_scales(a.height, a.width) > 0, "ssim: no window of {0}x{0} lies in a picture of {1}x{2}", kWindow,
        a.height, a.width);
  double sum = 0;
  for (int channel = 0; channel < a.channels; ++channel) {
    sum += similarity(plane_of(a, channel), plane_of(b, channel)).all;
  }
  return sum / a.channels;
}

double ms_ssim(const Picture& a, const Picture& b, int scales) {
  check_sizes(a, b);
  check(scales > 0 && scales <= ms_ssim_scales(a.height, a.width), "ms-ssim: {} scales of a picture of {}x{}", scales,
        a.height, a.width);
  const auto begin = kScaleWeights.begin();
  const double share =  // of five scales 1
      std::accumulate(begin, begin + scales, 0.0) / std::accumulate(begin, kScaleWeights.end(), 0.0);
  double sum = 0;
  for (int channel = 0; channel < a.channels; ++channel) {
    Plane x = plane_of(a, channel), y = plane_of(b, channel);
    double value = 1;
    for (int scale = 0; scale < scales; ++scale) {
      const Similarity its = similarity(x, y);
      const bool is_last = scale == scales - 1;
      value *= std::pow(std::max(is_last ? its.all : its.structure, 0.0), kScaleWeights[scale] / share);
      if (!is_last) {
        x = halved(x);
        y = halved(y);
      }
    }
    sum += value;
  }
  return sum / a.channels;
}

int ms_ssim_scales(int height, int width) {
  int scales = 0;
  for (int side = std::min(height, width); side >= kWindow && scales < static_cast<int>(kScaleWeights.size());
       side /= 2) {
    ++scales;
  }
  return scales;
}

}  // namespace duel
