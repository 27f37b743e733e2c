// `duel parity`: a recorded trajectory replayed, and a table of how far each step lies from the record.
#pragma once

#include "host/trajectory.h"
#include "kernels/context.h"

#include <optional>
#include <string>

namespace duel {

struct ParityRequest {
  std::string file, device = "auto", precision = "fp32", kernels = "auto";
  int threads = 0;
  std::optional<double> tolerance;  // otherwise default_tolerance(precision)
};

// 1e-4 in fp32; what products rounded to TF32 and arrays stored in bf16 need is more.
double default_tolerance(const std::string& precision);

// The table, and at the end "parity: ok" (returns 0) or the first tensor that is off (returns 1).
int print_parity(Context& context, const Trajectory& trajectory, const std::string& precision, double tolerance);

// The same on the device that is asked for.
int run_parity(const ParityRequest& request);

}  // namespace duel
