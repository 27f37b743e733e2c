// The one header of every .cu in this folder: what a kernel is written with.
//
// The same source is compiled twice: by nvcc for a GPU, and by g++ or clang++ with -DDUEL_EMULATED, where
// tests/emulator runs one fiber per CUDA thread on the CPU and checks what a GPU would leave unsaid. So a kernel keeps
// to these rules (tests/emulator/README.md gives the reasons, tools/check_kernels.py enforces the first two):
//
//   1. launches through launch(), shared arrays through DUEL_SHARED, DUEL_SHARED_ALIGNED and DUEL_DYNAMIC_SHARED,
//      instructions that C++ lacks through the wrappers of instructions.cuh;
//   2. every .cu includes this header and no other CUDA header;
//   3. no early return before a barrier or a warp operation; blocks are multiples of 32 threads; masks name only live
//      lanes; a collective is one source line;
//   4. arithmetic in float (bf16 is a storage type); offsets in int64_t;
//   5. no block waits for another, but those of a cluster do at cluster_barrier(); one writer per location, even of
//      equal values; sums in a fixed order, no float atomics. "The block that finishes last does the rest" is fine
//      (reduce.cuh).
#pragma once

#include "kernels/cuda/instructions.cuh"  // first: it brings in CUDA or the emulator
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"

// Reductions of a warp and a block.
#include "kernels/cuda/reduce.cuh"
