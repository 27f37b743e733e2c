// Pictures in host memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

struct Dataset {
  std::string name;  // as given: "fashion-mnist", "synthetic", a folder
  int count = 0;     // pictures
  int height = 0, width = 0;
  int channels = 0;                  // 1 or 3
  std::vector<std::uint8_t> pixels;  // [count, height, width, channels]
  std::vector<std::uint8_t> labels;  // [count], or empty
};

}  // namespace duel
