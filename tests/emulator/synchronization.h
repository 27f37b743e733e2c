// CUDA's barriers, votes, shuffles and fences. Each takes the line it is called on as one more argument.
#pragma once

#include "emulator/block.h"
#include "emulator/warp.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

namespace duel::emulator {

Votes sync_block(bool vote, Location where);
void sleep_a_little(Location where);
void fence();

// The types that CUDA shuffles. A smaller integer is not among them, nor is a struct.
template <class T>
concept Shuffled = std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, long> ||
    std::is_same_v<T, unsigned long> || std::is_same_v<T, long long> || std::is_same_v<T, unsigned long long> ||
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, __half> || std::is_same_v<T, __half2> ||
    std::is_same_v<T, __nv_bfloat16> || std::is_same_v<T, __nv_bfloat162>;

template <Shuffled T>
T shuffled(Shuffle kind, unsigned mask, T value, int operand, int width, Location where) {
  T result{};
  shuffle(kind, mask, &value, &result, sizeof value, operand, width, where);
  return result;
}

}  // namespace duel::emulator

inline void __syncthreads(duel::emulator::Location where = duel::emulator::Location::current()) {
  duel::emulator::sync_block(false, where);
}
inline int __syncthreads_or(int vote, duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::sync_block(vote != 0, where).any;
}
inline int __syncthreads_and(int vote, duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::sync_block(vote != 0, where).all;
}
inline int __syncthreads_count(int vote, duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::sync_block(vote != 0, where).count;
}

inline void __syncwarp(unsigned mask = duel::emulator::kAllLanes,
                       duel::emulator::Location where = duel::emulator::Location::current()) {
  duel::emulator::sync_warp(mask, where);
}
inline unsigned __ballot_sync(unsigned mask, int vote,
                              duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::ballot(mask, vote != 0, where);
}
inline int __any_sync(unsigned mask, int vote, duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::ballot(mask, vote != 0, where) != 0;
}
inline int __all_sync(unsigned mask, int vote, duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::ballot(mask, vote != 0, where) == mask;
}

template <duel::emulator::Shuffled T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32,
              duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::shuffled(duel::emulator::Shuffle::from_lane, mask, value, lane, width, where);
}
template <duel::emulator::Shuffled T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32,
                 duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::shuffled(duel::emulator::Shuffle::up, mask, value, static_cast<int>(distance), width, where);
}
template <duel::emulator::Shuffled T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32,
                   duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::shuffled(duel::emulator::Shuffle::down, mask, value, static_cast<int>(distance), width, where);
}
template <duel::emulator::Shuffled T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  duel::emulator::Location where = duel::emulator::Location::current()) {
  return duel::emulator::shuffled(duel::emulator::Shuffle::exclusive_or, mask, value, lanes, width, where);
}

// Blocks run one after another, so only ThreadSanitizer notices a fence that is missing.
inline void __threadfence() {
  duel::emulator::fence();
}
inline void __threadfence_block() {
  duel::emulator::fence();
}

// What a loop that waits for another thread must call: threads take turns only where they wait.
inline void __nanosleep(unsigned, duel::emulator::Location where = duel::emulator::Location::current()) {
  duel::emulator::sleep_a_little(where);
}
