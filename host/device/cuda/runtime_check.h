// Return codes of the CUDA runtime as errors.
#pragma once

#include "kernels/check.h"

#include <cuda_runtime_api.h>

#include <cstddef>

namespace duel {

// Throws kind `device` with `what` and CUDA's own text unless `result` is success. A device that is lost answers every
// later call with the same error.
inline void check_runtime(cudaError_t result, const char* what) {
  if (result != cudaSuccess) {
    throw_error(Error::Kind::device, "cuda: {}: {} ({})", what, cudaGetErrorString(result), cudaGetErrorName(result));
  }
}

// The same of a call about so many bytes.
inline void check_runtime(cudaError_t result, const char* what, std::size_t bytes) {
  if (result != cudaSuccess) {
    check_runtime(result, fmt::format("{} {} bytes", what, bytes).c_str());
  }
}

}  // namespace duel
