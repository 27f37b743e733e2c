// How long a whole training step takes, where the time goes, and how that compares with the step's matrix products and
// convolutions timed alone in the same run.
#pragma once

#include "host/options.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

struct OperatorTime {
  std::string op;       // "d_main conv2d_forward"
  int calls = 0;        // in a step
  double ms = 0;        // median of their sum within the step
  double alone_ms = 0;  // matrix products and convolutions: median of each repeated alone, summed; else 0
  double gflop = 0;
  double megabytes = 0;  // least traffic: inputs once, outputs once
};

struct StepBench {
  std::string device;  // its name
  double ms_median = 0, ms_min = 0, ms_max = 0;
  double primitives_ms = 0;  // sum of alone_ms
  double gflop = 0;
  std::vector<OperatorTime> operators;  // slowest first
};

// `seconds`: about how long the whole steps are timed for, after warming up.
StepBench bench_step(const Options& options, double seconds);

}  // namespace duel
