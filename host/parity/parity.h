// `duel parity`: a recorded trajectory replayed, and a table of how far each step lies from the record; beside that,
// how far the recording program lies from it in float32.
#pragma once

#include "host/config/options.h"
#include "host/parity/replay.h"
#include "host/parity/trajectory.h"
#include "kernels/context.h"

#include <string>

namespace duel {

struct ParityRequest {
  std::string file;
  Options where;         // device, threads, kernels and precision of the replay
  double tolerance = 0;  // of everything; 0: default_bounds(precision)
};

inline constexpr int kParityOffExitCode = 6;

// The table, and at the end "parity: ok" (returns 0) or the first tensor that is off (returns kParityOffExitCode).
int print_parity(Context& context, const Trajectory& trajectory, const std::string& precision, const Bounds& bounds);

// The same on the device that is asked for.
int run_parity(const ParityRequest& request);

}  // namespace duel
