// The one way to start a kernel, with the operator's name in every error; and the choice of a kernel's element type.
#pragma once

#include "kernels/check.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/platform.cuh"
#include "kernels/tensor.h"

#include <utility>

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
};

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
    emulator::launch(kernel, shape.grid, shape.block, shape.shared_bytes, context.stream(),
                     std::forward<Arguments>(arguments)...);
  } catch (const emulator::Error& error) {
    throw_error(Error::Kind::internal, "{}: {}", op, error.what());
  }
#else
  const auto check_launch = [&](cudaError_t result, const char* what) {
    if (result == cudaErrorNoKernelImageForDevice || result == cudaErrorUnsupportedPtxVersion) {
      throw_error(Error::Kind::device,
                  "{}: this build has no kernels that run on {} (sm_{}): {}; build with cmake -DDUEL_CUDA=ON "
                  "-DDUEL_CUDA_ARCHITECTURES={}",
                  op, context.properties().name, context.compute_capability(), cudaGetErrorString(result),
                  context.compute_capability());
    }
    if (result != cudaSuccess) {
      throw_error(Error::Kind::device,
                  "{}: {} a grid of {}x{}x{} blocks of {}x{}x{} threads with {} bytes of shared "
                  "memory: {} ({})",
                  op, what, shape.grid.x, shape.grid.y, shape.grid.z, shape.block.x, shape.block.y, shape.block.z,
                  shape.shared_bytes, cudaGetErrorString(result), cudaGetErrorName(result));
    }
  };
  if (shape.shared_bytes > std::size_t{48} << 10) {
    check_launch(
        cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shape.shared_bytes)),
        "preparing");
  }
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = context.stream();
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &overlap;
  config.numAttrs = shape.overlaps_previous && context.compute_capability() >= 90 ? 1 : 0;
  check_launch(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(std::forward<Arguments>(arguments))...),
               "launching");
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
