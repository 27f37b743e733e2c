// Every operator that a preset's training step really runs, timed alone on the arrays of that step: beside its floor,
// and beside the vendor's kernel for the same problem in turn: oneDNN's convolutions on the CPU, cuBLASLt's products
// and cuDNN's convolutions on a GPU.
#pragma once

#include "host/ceilings.h"
#include "host/options.h"

#include <functional>
#include <string>

namespace duel {

struct KernelTime {
  std::string op;        // "conv2d_forward"
  std::string arrays;    // "f32[64,28,28,32] f32[64,3,3,32] -> f32[64,28,28,64]"
  std::string where;     // "d_main discriminator/conv2": where it stands first
  int calls = 0;         // of the same operator on arrays of the same shapes, in a step
  double ms = 0;         // median of the windows, arrays in cache where they fit
  double cold_ms = 0;    // on a GPU: after its caches were filled with something else, launch included; else 0
  double vendor_ms = 0;  // the vendor's kernel in the same windows; 0: there is none, or it is the one that runs
  double gflop = 0, megabytes = 0;  // least work of one call
  double floor_ms = 0;
  bool by_operations = false;  // what the floor is of: operations, or bytes
};

struct KernelBenchRequest {
  Options options;
  std::string filter = "*";   // of op, as for files: "conv2d*"
  double milliseconds = 100;  // about how long each operator is timed
};

// Calls `each` as soon as an operator is timed, in the order of the step.
void bench_kernels(const KernelBenchRequest& request, const Ceilings& ceilings,
                   const std::function<void(const KernelTime&)>& each);

}  // namespace duel
