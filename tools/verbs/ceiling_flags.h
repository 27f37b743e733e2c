// Options of the command line that say what a device can do: measured, as a probe measured it, a known device's, or
// given.
#pragma once

#include "host/config/options.h"
#include "host/device/ceilings.h"

#include <CLI/CLI.hpp>

#include <string>

namespace duel {

// What the word floor means in every table, as its last lines.
inline constexpr const char* kFloorWords =
    "A floor is the least time by the device's ceilings, for the bytes at the rate of the operator's working set or "
    "for its operations:\nthose of convolutions in f32 as few as Winograd's algorithm has (3x3 at stride 1 a quarter, "
    "4x4 at stride 2 0.39), where that is less. "
    "FLOP are those of the direct algorithm.";

class CeilingFlags {
public:
  void declare(CLI::App& verb);
  // Opens and measures the device that the options name only where nothing else was asked for.
  Ceilings resolve(const Options& options) const;

private:
  std::string name_ = "measured";
  double bandwidth_ = 0, tflops_ = 0;
};

}  // namespace duel
