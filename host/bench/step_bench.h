// How long a whole training step takes, where the time goes, and how that compares with what the device could do and
// with the step's matrix products and convolutions timed alone in the same run.
#pragma once

#include "host/config/options.h"
#include "host/device/ceilings.h"
#include "host/device/node_key.h"

#include <string>
#include <vector>

namespace duel {

struct OperatorTime {  // of all nodes with the same key: the same operator on arrays of the same shapes, at one place
  NodeKey key;
  int calls = 0;         // in a step
  double ms = 0;         // median of their sum: within the step on a CPU; on a GPU, each in a graph of itself
  double alone_ms = 0;   // matrix products and convolutions: median of each repeated alone, summed; else 0
  double floor_ms = 0;   // the least by the ceilings, see roofline.h
  double gflop = 0;      // of the direct algorithm
  double megabytes = 0;  // least traffic: inputs once, outputs once
};

struct StepBench {
  std::string device;  // its name
  double ms_median = 0, ms_min = 0, ms_max = 0;
  int operator_calls = 0;  // in a step
  int steps_per_launch = 1, lanes = 1;
  bool is_graph = false;     // a launch replays captured steps
  double host_busy = 0;      // share of the time that the launching thread computes; 0 on a CPU, where it is the device
  double waited = 0;         // share of the time that streamed pictures came late
  double primitives_ms = 0;  // sum of alone_ms
  double operators_ms = 0;   // sum of ms
  double floor_ms = 0;       // sum of the floors
  double gflop = 0, megabytes = 0;
  std::vector<OperatorTime> operators;  // slowest first
};

// `seconds`: about how long the whole steps are timed for, after warming up.
StepBench bench_step(const Options& options, const Ceilings& ceilings, double seconds);

// One sentence: what to look at first.
std::string advice(const StepBench& bench);

}  // namespace duel
