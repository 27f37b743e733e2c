// What a step writes down about itself (contract: kernels/step_state.h). A thread a scalar: a few bytes.
#include "kernels/step_state.h"

#include "kernels/cuda/built_for.h"
#include "kernels/cuda/device.cuh"

namespace duel {

// ---- device helpers

namespace {

struct ScalarList {
  int count;
  int columns[kMostStoredScalars];
  const float* scalars[kMostStoredScalars];  // each [1]
};

}  // namespace

// ---- kernels

__global__ void __launch_bounds__(32) store_scalars_kernel(const ScalarList list,
                                                           const std::int64_t* step,  // [1]
                                                           float* ring,               // [rows, columns]
                                                           int rows, int columns) {
  const int i = static_cast<int>(threadIdx.x);
  if (i < list.count) {
    ring[step[0] % rows * columns + list.columns[i]] = list.scalars[i][0];
  }
}

__global__ void __launch_bounds__(32) advance_counter_kernel(std::int64_t* step) {  // [1]
  if (threadIdx.x == 0) {
    ++step[0];
  }
}

// ---- launchers

void store_scalars(CudaContext& context, std::span<const StoredScalar> scalars, View step, View ring) {
  ScalarList list{};
  for (const auto& [column, scalar] : scalars) {
    list.columns[list.count] = column;
    list.scalars[list.count] = scalar.as<const float>();
    ++list.count;
  }
  launch(context, "store_scalars", {1, 32}, store_scalars_kernel, list, step.as<const std::int64_t>(), ring.as<float>(),
         ring.shape[0], ring.shape[1]);
}

void advance_counter(CudaContext& context, View step) {
  launch(context, "advance_counter", {1, 32}, advance_counter_kernel, step.as<std::int64_t>());
}

int built_for() {
  cudaFuncAttributes attributes{};  // of one kernel, for all: they are compiled alike
  if (cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&advance_counter_kernel)) != cudaSuccess) {
    cudaGetLastError();  // forgotten: the first launch fails in the same way, and says it with its operator's name
    return 0;
  }
  return attributes.ptxVersion;
}

}  // namespace duel
