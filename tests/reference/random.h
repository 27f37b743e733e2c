// Reference of kernels/random.h: the integers of kernels/philox.h, everything after them in double.
#pragma once

#include "kernels/philox.h"
#include "kernels/random.h"
#include "tests/reference/array.h"

#include <cmath>
#include <numbers>

namespace duel::test::reference {

inline std::uint32_t random_integer(const Random& p, std::uint64_t step, std::int64_t place) {
  return philox(p.seed, p.purpose, step, static_cast<std::uint32_t>(place / 4))[at(place % 4)];
}

// The centre of one of 2^23 equal intervals of (0, 1).
inline double unit(std::uint32_t bits) {
  return (std::floor(bits / 512.0) + 0.5) / 8388608.0;
}

inline Array random_uniform(const Random& p, std::uint64_t step, std::int64_t count) {
  Array y(at(count));
  for (std::int64_t i = 0; i < count; ++i) {
    y[at(i)] = unit(random_integer(p, step, i));
  }
  return y;
}

inline Array random_normal(const Random& p, std::uint64_t step, std::int64_t count) {
  Array y(at(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t pair = i / 2 * 2;
    const double radius = std::sqrt(-2 * std::log(unit(random_integer(p, step, pair))));
    const double angle = 2 * std::numbers::pi * unit(random_integer(p, step, pair + 1));
    y[at(i)] = radius * (i == pair ? std::cos(angle) : std::sin(angle));
  }
  return y;
}

}  // namespace duel::test::reference
