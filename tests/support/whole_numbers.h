// Numbers of which products and sums are exact in f32, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace duel::test {

// -4 .. 4, as if drawn; another `seed`, others.
inline float whole_number(std::size_t i, std::size_t seed = 0) {
  return static_cast<float>(static_cast<int>(((i + seed) * 2654435761U >> 7) % 9) - 4);
}

inline std::vector<float> whole_numbers(std::int64_t count, std::size_t seed = 0) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = whole_number(i, seed);
  }
  return values;
}

}  // namespace duel::test
