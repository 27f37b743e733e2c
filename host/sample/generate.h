// Pictures from the generator of a finished or running run: single PNGs, or one sheet.
#pragma once

#include "host/config/device_request.h"
#include "host/run/run_directory.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace duel {

struct GenerateRequest {
  std::string run;
  std::string out;  // a folder, or with `grid` a file *.png
  // Which pictures: one of the three.
  int count = 0;            // pictures 0, 1, 2.. of `seed`; with `grid` as many as it has places
  std::string seeds;        // "1,5,9-12": picture 0 of each of these seeds, as --seed 9 --count 1 draws it
  std::string interpolate;  // "3,8": from picture 0 of one seed to that of the next
  int steps_between = 8;    // pictures between two of `interpolate`
  std::string grid;         // "8x8": rows and columns
  bool clear = false;       // of older pictures in `out`
  std::uint64_t seed = 0;
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  bool raw = false;                  // the generator as trained instead of its moving average
  DeviceRequest where;
};

inline constexpr int kMostPictures = 10'000'000;

struct Generated {
  int count = 0;          // pictures
  std::int64_t step = 0;  // of the checkpoint that drew them
};

// Picture i of a seed does not depend on how many are asked for, nor a picture of a list of seeds on the list. Throws
// kind `usage` for a request that cannot be meant, `data` for a run that cannot be read, and `device` where the device
// has too little memory.
Generated generate(const GenerateRequest& request);

// Calls `read` with the folder of the checkpoint of that step, or of the latest one. A training beside this may prune
// it at any moment: where it has gone while `read` failed, the one that is the latest by then is read instead, unless
// that step was asked for. Returns the step.
std::int64_t read_checkpoint_of(const RunDirectory& run, std::optional<std::int64_t> step,
                                const std::function<void(const std::filesystem::path&)>& read);

}  // namespace duel
