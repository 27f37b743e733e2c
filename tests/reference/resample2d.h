// Reference of kernels/resample2d.h.
#pragma once

#include "kernels/resample2d.h"
#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array resample2d(const Resample2d& p, const Shape& x_shape, const Shape& y_shape, const Array& x) {
  Array y(at(y_shape.count()), 0.0);
  const auto place = [](const Shape& s, int n, int h, int w, int c) {
    return at(((std::int64_t{n} * s[1] + h) * s[2] + w) * s[3] + c);
  };
  // Between and around the pixels there are zeros: a place in the spread picture is a pixel, or is not.
  const auto pixel_at = [&](int place_in_spread, int extent) {
    const bool is_pixel = place_in_spread >= 0 && place_in_spread % p.up == 0 && place_in_spread / p.up < extent;
    return is_pixel ? place_in_spread / p.up : -1;
  };
  for (int n = 0; n < y_shape[0]; ++n) {
    for (int i = 0; i < y_shape[1]; ++i) {
      for (int j = 0; j < y_shape[2]; ++j) {
        for (int t = 0; t < p.count; ++t) {
          for (int u = 0; u < p.count; ++u) {
            const int h = pixel_at(i * p.down + t - p.pad, x_shape[1]);
            const int w = pixel_at(j * p.down + u - p.pad, x_shape[2]);
            for (int c = 0; c < x_shape[3] && h >= 0 && w >= 0; ++c) {
              const double weight = static_cast<double>(p.taps[t]) * static_cast<double>(p.taps[u]);
              y[place(y_shape, n, i, j, c)] += weight * x[place(x_shape, n, h, w, c)];
            }
          }
        }
      }
    }
  }
  return y;
}

}  // namespace duel::test::reference
