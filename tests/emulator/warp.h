// Operations of a warp: every lane that the mask names hands in its operands and waits, and the last to arrive computes
// what all of them get. They order no memory, as in CUDA, but for __syncwarp.
#pragma once

#include "emulator/error.h"

#include <cstddef>
#include <cstdint>

namespace duel::emulator {

inline constexpr std::uint32_t kAllLanes = 0xFFFFFFFF;

struct WarpOperands {
  std::uint32_t mask = 0;
  const void* in[32] = {};  // what each lane handed in, in its own memory
  void* out[32] = {};

  template <class T>
  const T& of(int lane) const {
    return *static_cast<const T*>(in[lane]);
  }
};
using WarpCompute = void (*)(const WarpOperands&);

// `compute` also says which operation it is: lanes of one mask that meet with different ones, or on different lines,
// diverge, which is an error.
void warp_operation(const char* name, std::uint32_t mask, WarpCompute compute, const void* in, void* out,
                    Location where);

void sync_warp(std::uint32_t mask, Location where);
std::uint32_t ballot(std::uint32_t mask, bool vote, Location where);

enum class Shuffle { from_lane, up, down, exclusive_or };

// `result` becomes the `value` of the lane that `operand` names, among each `width` lanes. A lane beyond them leaves
// its own value; one that the mask does not name gives 0xFF in every byte, as the value is then undefined.
void shuffle(Shuffle kind, std::uint32_t mask, const void* value, void* result, std::size_t bytes, int operand,
             int width, Location where);

}  // namespace duel::emulator
