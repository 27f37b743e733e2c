#include "engine/nn/initial.h"

#include "kernels/check.h"
#include "kernels/philox.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace duel {

namespace {

// Calls take(i, bits) with a block of four random integers for values i..i+3.
template <class Take>
void for_each_block(std::int64_t count, std::uint64_t seed, std::uint64_t stream, const Take& take) {
  for (std::int64_t block = 0; block * 4 < count; ++block) {
    take(block * 4, philox(seed, Purpose::initial_weights, stream, static_cast<std::uint32_t>(block)));
  }
}

void draw_uniform(double bound, std::int64_t count, std::uint64_t seed, std::uint64_t stream, float* values) {
  for_each_block(count, seed, stream, [&](std::int64_t first, const PhiloxBlock& bits) {
    for (std::int64_t lane = 0; lane < std::min<std::int64_t>(4, count - first); ++lane) {
      const double unit = static_cast<double>(unit_float(bits[static_cast<std::size_t>(lane)]));
      values[first + lane] = static_cast<float>(bound * (2 * unit - 1));
    }
  });
}

// By Box and Muller's transform of two integers each, as in kernels/random.h but in double.
template <class T>
void draw_normal(double mean, double deviation, std::int64_t count, std::uint64_t seed, std::uint64_t stream,
                 T* values) {
  for_each_block(count, seed, stream, [&](std::int64_t first, const PhiloxBlock& bits) {
    for (std::int64_t lane = 0; lane < std::min<std::int64_t>(4, count - first); ++lane) {
      const std::size_t pair = static_cast<std::size_t>(lane) / 2 * 2;
      const double radius = std::sqrt(-2 * std::log(static_cast<double>(unit_float(bits[pair]))));
      const double angle = 2 * std::numbers::pi * static_cast<double>(unit_float(bits[pair + 1]));
      values[first + lane] =
          static_cast<T>(mean + deviation * radius * (lane % 2 == 0 ? std::cos(angle) : std::sin(angle)));
    }
  });
}

// Normal vectors made orthogonal by the modified Gram-Schmidt process. A second pass over each takes off what rounding
// left of the others (Giraud et al., "Rounding error analysis of the classical Gram-Schmidt process", 2005).
void draw_orthogonal(double gain, const Shape& shape, std::uint64_t seed, std::uint64_t stream, float* values) {
  const std::int64_t rows = shape[0], columns = shape.row_count();
  const std::int64_t vectors = std::min(rows, columns), length = std::max(rows, columns);
  std::vector<double> all(static_cast<std::size_t>(rows * columns));
  draw_normal(0.0, 1.0, rows * columns, seed, stream, all.data());
  const auto product = [length](const double* a, const double* b) {
    double sum = 0;
    for (std::int64_t i = 0; i < length; ++i) {
      sum += a[i] * b[i];
    }
    return sum;
  };
  for (std::int64_t v = 0; v < vectors; ++v) {
    double* const own = all.data() + v * length;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t u = 0; u < v; ++u) {
        const double* const other = all.data() + u * length;
        const double along = product(own, other);
        for (std::int64_t i = 0; i < length; ++i) {
          own[i] -= along * other[i];
        }
      }
      const double inverse = 1 / std::sqrt(product(own, own));
      for (std::int64_t i = 0; i < length; ++i) {
        own[i] *= inverse;
      }
    }
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t place = rows <= columns ? row * length + column : column * length + row;
      values[row * columns + column] = static_cast<float>(gain * all[static_cast<std::size_t>(place)]);
    }
  }
}

}  // namespace

Initial Initial::glorot(int fan_in, int fan_out) {
  return uniform(std::sqrt(6.0 / (fan_in + fan_out)));
}

Initial Initial::he(int fan_in, double slope) {
  return normal(std::sqrt(2.0 / ((1 + slope * slope) * fan_in)));
}

Initial Initial::pytorch(int fan_in) {
  return uniform(1 / std::sqrt(static_cast<double>(fan_in)));
}

void draw_initial(const Initial& initial, const Shape& shape, std::uint64_t seed, std::uint64_t stream, float* values) {
  const std::int64_t count = shape.count();
  switch (initial.kind) {
    case Initial::Kind::constant: std::fill_n(values, count, static_cast<float>(initial.scale)); return;
    case Initial::Kind::uniform: draw_uniform(initial.scale, count, seed, stream, values); return;
    case Initial::Kind::normal: draw_normal(initial.mean, initial.scale, count, seed, stream, values); return;
    case Initial::Kind::orthogonal: draw_orthogonal(initial.scale, shape, seed, stream, values); return;
  }
  throw Error(Error::Kind::internal, "draw_initial: unknown kind");
}

}  // namespace duel
