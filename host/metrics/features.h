// Rows of numbers that an extractor makes of pictures, one row a picture: what the metrics compare.
#pragma once

#include "kernels/check.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace duel {

struct Features {
  int width = 0;
  std::vector<float> values;  // [count, width]

  std::int64_t count() const { return width == 0 ? 0 : std::ssize(values) / width; }
  std::span<const float> row(std::int64_t i) const {
    return std::span(values).subspan(static_cast<std::size_t>(i * width), static_cast<std::size_t>(width));
  }
};

// Throws kind `internal` where two sets cannot be compared: rows of different widths, or no rows.
inline void check_comparable(const Features& a, const Features& b) {
  check(a.width == b.width && a.count() > 0 && b.count() > 0,
        "metrics: {} rows of {} numbers cannot be compared with {} rows of {}", a.count(), a.width, b.count(), b.width);
}

}  // namespace duel
