// The one way to start a kernel, with the operator's name in every error; and the choice of a kernel's element type.
#pragma once

#include "kernels/check.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/platform.cuh"
#include "kernels/tensor.h"

#include <utility>

namespace duel {

// Blocks of `threads` that give every one of `items` a thread, `per_thread` items each, but at most `limit` blocks:
// kernels loop over the grid.
inline unsigned blocks_for(std::int64_t items, int threads, int per_thread = 1, std::int64_t limit = 65535) {
  const std::int64_t per_block = std::int64_t{threads} * per_thread;
  const std::int64_t blocks = (items + per_block - 1) / per_block;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks < limit ? blocks : limit);
}

template <class... Parameters, class... Arguments>
void launch(CudaContext& context, const char* op, const Launch& shape, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
#ifdef DUEL_EMULATED
  try {
    emulator::launch_clusters(kernel, shape.grid, shape.block, shape.cluster, shape.shared_bytes, context.stream(),
                              std::forward<Arguments>(arguments)...);
  } catch (const emulator::Error& error) {
    throw_error(Error::Kind::internal, "{}: {}", op, error.what());
  }
#else
  if (shape.shared_bytes > std::size_t{48} << 10) {
    check_launch(
        context, op, "preparing", shape,
        cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shape.shared_bytes)));
  }
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = context.stream();
  cudaLaunchAttribute attributes[2]{};
  config.attrs = attributes;
  if (shape.overlaps_previous && context.compute_capability() >= 90) {
    cudaLaunchAttribute& overlap = attributes[config.numAttrs++];
    overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlap.val.programmaticStreamSerializationAllowed = 1;
  }
  if (shape.cluster.x * shape.cluster.y * shape.cluster.z > 1) {
    cudaLaunchAttribute& cluster = attributes[config.numAttrs++];
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {shape.cluster.x, shape.cluster.y, shape.cluster.z};
  }
  check_launch(context, op, "launching", shape,
               cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(std::forward<Arguments>(arguments))...));
#endif
}

// Calls `call` with a value of the element type that `dtype` names: float or Bf16.
template <class Call>
void with_float_type(DType dtype, Call&& call) {
  if (dtype == DType::bf16) {
    call(Bf16{});
  } else {
    call(float{});
  }
}

}  // namespace duel
