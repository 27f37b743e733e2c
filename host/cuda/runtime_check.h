// Return codes of the CUDA runtime as errors.
#pragma once

#include "kernels/check.h"

#include <cuda_runtime_api.h>

namespace duel {

// Throws kind `device` with `what` and CUDA's own text unless `result` is success. A device that is lost answers every
// later call with the same error.
inline void check_runtime(cudaError_t result, const char* what) {
  if (result != cudaSuccess) {
    throw_error(Error::Kind::device, "cuda: {}: {} ({})", what, cudaGetErrorString(result), cudaGetErrorName(result));
  }
}

}  // namespace duel
