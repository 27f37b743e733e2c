// threadIdx, blockIdx, blockDim, gridDim of the thread that runs.
#pragma once

#include <vector_types.h>

namespace duel::emulator {

struct Extents {  // dim3 without its constructor, which would have to run in every thread of the operating system
  unsigned x, y, z;
  operator dim3() const { return {x, y, z}; }
};

}  // namespace duel::emulator

inline constinit thread_local uint3 threadIdx{0, 0, 0}, blockIdx{0, 0, 0};
inline constinit thread_local duel::emulator::Extents blockDim{1, 1, 1}, gridDim{1, 1, 1};
inline constexpr int warpSize = 32;
