#include "host/metrics/colourfulness.h"

#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace duel {

double colourfulness(const Picture& picture) {
  check(picture.channels >= 3, "colourfulness: a picture of {} channels has no colours", picture.channels);
  const std::size_t count = picture.pixels.size() / static_cast<std::size_t>(picture.channels);
  double sum_rg = 0, sum_yb = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* pixel = &picture.pixels[i * static_cast<std::size_t>(picture.channels)];
    const double rg = static_cast<double>(pixel[0]) - pixel[1], yb = 0.5 * (pixel[0] + pixel[1]) - pixel[2];
    sum_rg += rg;
    sum_yb += yb;
    squares += rg * rg + yb * yb;
  }
  const auto pixels = static_cast<double>(count);
  const double of_means = (sum_rg * sum_rg + sum_yb * sum_yb) / (pixels * pixels);
  return std::sqrt(std::max(squares / pixels - of_means, 0.0)) + 0.3 * std::sqrt(of_means);
}

}  // namespace duel
