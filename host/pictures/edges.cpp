#include "host/pictures/edges.h"

#include "host/pictures/gaussian_blur.h"
#include "kernels/check.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace duel {

namespace {

struct Gradient {
  float length = 0;
  int along_y = 0, along_x = 0;  // the neighbour in its direction
};

std::vector<Gradient> gradients_of(const Picture& luma) {
  std::vector<Gradient> gradients(luma.pixels.size());
  for (int y = 1; y + 1 < luma.height; ++y) {
    for (int x = 1; x + 1 < luma.width; ++x) {
      const auto at = [&](int dy, int dx) {
        return int{luma.pixels[static_cast<std::size_t>(y + dy) * luma.width + x + dx]};
      };
      const int gx = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1);
      const int gy = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1);
      Gradient& its = gradients[static_cast<std::size_t>(y) * luma.width + x];
      its.length = std::hypot(static_cast<float>(gx), static_cast<float>(gy));
      const double across = std::abs(gx), down = std::abs(gy);
      constexpr double kTangent = 0.41421356;  // of 22.5 degrees: to the nearest of eight neighbours
      its.along_x = across > kTangent * down ? (gx > 0 ? 1 : -1) : 0;
      its.along_y = down > kTangent * across ? (gy > 0 ? 1 : -1) : 0;
    }
  }
  return gradients;
}

}  // namespace

Picture luma_of(const Picture& picture) {
  if (picture.channels == 1) {
    return picture;
  }
  check(picture.channels == 3, "luma: of a picture with {} channels", picture.channels);
  Picture luma{picture.height, picture.width, 1, {}};
  luma.pixels.reserve(picture.pixels.size() / 3);
  for (std::size_t at = 0; at < picture.pixels.size(); at += 3) {
    const std::uint8_t* rgb = &picture.pixels[at];
    luma.pixels.push_back(
        static_cast<std::uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16));
  }
  return luma;
}

Picture edges_of(const Picture& picture) {
  const Picture luma = gaussian_blurred(luma_of(picture), 1);
  const std::vector<Gradient> gradients = gradients_of(luma);
  Picture edges{luma.height, luma.width, 1, std::vector<std::uint8_t>(luma.pixels.size())};
  const auto is_greatest = [&](int y, int x) {
    const Gradient& its = gradients[static_cast<std::size_t>(y) * luma.width + x];
    const auto length = [&](int dy, int dx) {
      return gradients[static_cast<std::size_t>(y + dy) * luma.width + x + dx].length;
    };
    // Of two that are alike, the one behind.
    return its.length > length(its.along_y, its.along_x) && its.length >= length(-its.along_y, -its.along_x);
  };
  std::vector<std::size_t> found;  // edges whose neighbours have not been looked at
  for (int y = 1; y + 1 < luma.height; ++y) {
    for (int x = 1; x + 1 < luma.width; ++x) {
      const std::size_t at = static_cast<std::size_t>(y) * luma.width + x;
      if (gradients[at].length >= kWeakEdge && is_greatest(y, x)) {
        const bool is_strong = gradients[at].length >= kStrongEdge;
        edges.pixels[at] = is_strong ? 255 : 1;
        if (is_strong) {
          found.push_back(at);
        }
      }
    }
  }
  while (!found.empty()) {
    const std::size_t at = found.back();
    found.pop_back();
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        const std::size_t next = at + dy * luma.width + dx;  // within: no edge is on the border
        if (edges.pixels[next] == 1) {
          edges.pixels[next] = 255;
          found.push_back(next);
        }
      }
    }
  }
  for (std::uint8_t& each : edges.pixels) {
    each = each == 255 ? 255 : 0;
  }
  return edges;
}

}  // namespace duel
