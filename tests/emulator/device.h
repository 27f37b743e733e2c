// What stands in for CUDA's headers when a .cu is compiled as C++ (README.md in this folder).
//
// CUDA's own headers give the host's half: dim3, float4, __nv_bfloat16 and its conversions; __global__ and __device__
// mean nothing there. The rest, the names that only nvcc knows, is ours.
#pragma once

#ifdef __CUDACC__
#error "this header takes the place of CUDA; nvcc has no use for it"
#endif

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "emulator/arithmetic.h"
#include "emulator/atomics.h"
#include "emulator/indices.h"
#include "emulator/launch.h"
#include "emulator/options.h"
#include "emulator/shared_memory.h"
#include "emulator/synchronization.h"

// A raw __shared__ array would be one for all blocks, with the last one's values in it.
#undef __shared__
#define __shared__ static_assert(false, "declare shared arrays with DUEL_SHARED (kernels/cuda/platform.cuh)");
#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __forceinline__
#define __forceinline__ inline
