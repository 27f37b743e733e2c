// What a step writes down about itself (contract: kernels/step_state.h). One thread each: a few bytes.
#include "kernels/step_state.h"

#include "kernels/cuda/device.cuh"

namespace duel {

// ---- kernels

__global__ void __launch_bounds__(32) store_scalar_kernel(const float* scalar,       // [1]
                                                          const std::int64_t* step,  // [1]
                                                          float* ring,               // [rows, columns]
                                                          int rows, int columns, int column) {
  if (threadIdx.x == 0) {
    ring[step[0] % rows * columns + column] = scalar[0];
  }
}

__global__ void __launch_bounds__(32) advance_counter_kernel(std::int64_t* step) {  // [1]
  if (threadIdx.x == 0) {
    ++step[0];
  }
}

// ---- launchers

void store_scalar(CudaContext& context, int column, View scalar, View step, View ring) {
  launch(context, "store_scalar", {1, 32}, store_scalar_kernel, scalar.as<const float>(), step.as<const std::int64_t>(),
         ring.as<float>(), ring.shape[0], ring.shape[1], column);
}

void advance_counter(CudaContext& context, View step) {
  launch(context, "advance_counter", {1, 32}, advance_counter_kernel, step.as<std::int64_t>());
}

}  // namespace duel
