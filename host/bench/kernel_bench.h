// Every operator that a preset's training step really runs, timed alone on the arrays of that step: beside its floor,
// and beside the vendor's kernel for the same problem in turn: oneDNN's convolutions on the CPU, cuBLASLt's products
// and cuDNN's convolutions on a GPU.
#pragma once

#include "host/config/options.h"
#include "host/device/ceilings.h"
#include "host/device/node_key.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace duel {

struct KernelTime {
  NodeKey key;               // where: where it stands first
  int calls = 0;             // of the same operator on arrays of the same shapes, in a step
  double ms = 0;             // median of the windows, arrays in cache where they fit
  double cold_ms = 0;        // on a GPU: of a call that finds nothing in the caches; else 0
  double vendor_ms = 0;      // the vendor's kernel in the same windows; 0: there is none, or it is the one that runs
  std::string vendor_error;  // why its kernel could not be timed, where it should have been
  double gflop = 0, megabytes = 0;  // least work of one call; gflop: of the direct algorithm
  double floor_ms = 0;
  bool by_operations = false;  // what the floor is of: operations, or bytes
};

struct KernelBenchRequest {
  Options options;
  std::string filter = "*";                          // of op, as for files: "conv2d*"
  double milliseconds = 100;                         // about how long each operator is timed
  double warm_seconds = 0.3;                         // of work before, on a GPU
  std::size_t flush_bytes = std::size_t{256} << 20;  // larger than any cache of a GPU
};

// Throws kind `usage` where the filter leaves no operator of the step. Measures nothing.
void check_filter(const KernelBenchRequest& request);

struct KernelBench {
  std::vector<KernelTime> kernels;  // in the order of the step
  std::string no_vendor;            // why none of the vendor's kernels was timed; "" where they were
  double ms = 0, floor_ms = 0;      // of all calls of a step
};

// Calls `each`, if given, as soon as an operator is timed.
KernelBench bench_kernels(const KernelBenchRequest& request, const Ceilings& ceilings,
                          const std::function<void(const KernelTime&)>& each = {});

}  // namespace duel
