// Pictures from the generator of a finished or running run: single PNGs, or one sheet.
#pragma once

#include <cstdint>
#include <string>

namespace duel {

struct GenerateRequest {
  std::string run;
  std::string out;   // a folder, or with `grid` a file
  int count = 0;     // pictures, where `grid` is empty
  std::string grid;  // "8x8": rows and columns
  std::uint64_t seed = 0;
  std::int64_t step = -1;  // of the checkpoint; -1: the latest
  bool raw = false;        // the generator as trained instead of its moving average
  std::string device = "auto";
  int threads = 0;
};

// Picture i of a seed does not depend on how many are asked for. Throws kind `usage` for a request that cannot be
// meant, `data` for a run that cannot be read.
void generate(const GenerateRequest& request);

}  // namespace duel
