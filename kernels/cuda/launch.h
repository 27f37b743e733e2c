// How a kernel is started, and what is said where it cannot be.
#pragma once

#include "kernels/cuda/context.h"

#include <cstddef>

namespace duel {

struct Launch {
  dim3 grid, block;
  std::size_t shared_bytes = 0;
  // Start while the kernel before it still runs (programmatic dependent launch, sm_90 and later). Such a kernel calls
  // wait_for_previous_kernel() before it touches memory that an earlier kernel writes or reads.
  //
  // The same holds on several lanes. What a lane awaits of another stands between the two kernels and is an ordinary
  // dependency, in a stream and as an edge of a graph: the kernel does not start before it is done, early or not. And a
  // mark behind such a kernel is reached when it has ended, so not before all its blocks have waited for the kernel
  // that it overlaps: who awaits the mark comes after both. For this every block has to wait, also one with nothing to
  // do.
  bool overlaps_previous = false;
  // Blocks that run side by side, wait for one another (cluster_barrier) and read one another's shared memory
  // (in_cluster); only where CudaContext::runs_clusters().
  dim3 cluster = {1, 1, 1};
};

// Throws kind `device` with the operator, the launch and CUDA's own text unless `result` is success; where the build
// has nothing that runs on this GPU, with the line that builds it. `what`: "launching", "preparing".
void check_launch(const CudaContext& context, const char* op, const char* what, const Launch& shape,
                  cudaError_t result);

}  // namespace duel
