#include "kernels/cuda/launch.h"

#include "kernels/check.h"

namespace duel {

void check_launch(const CudaContext& context, const char* op, const char* what, const Launch& shape,
                  cudaError_t result) {
  if (result == cudaErrorNoKernelImageForDevice || result == cudaErrorUnsupportedPtxVersion) {
    throw_error(Error::Kind::device,
                "{}: this build has no kernels that run on {} (sm_{}): {}; build with cmake -DDUEL_CUDA=ON "
                "-DDUEL_CUDA_ARCHITECTURES={}",
                op, context.properties().name, context.compute_capability(), cudaGetErrorString(result),
                context.compute_capability());
  }
  if (result != cudaSuccess) {
    throw_error(Error::Kind::device,
                "{}: {} a grid of {}x{}x{} blocks of {}x{}x{} threads with {} bytes of shared memory: {} ({})", op,
                what, shape.grid.x, shape.grid.y, shape.grid.z, shape.block.x, shape.block.y, shape.block.z,
                shape.shared_bytes, cudaGetErrorString(result), cudaGetErrorName(result));
  }
}

}  // namespace duel
