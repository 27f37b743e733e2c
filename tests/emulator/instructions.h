// The emulated bodies of kernels/cuda/instructions.cuh, where the operands are described.
#pragma once

#include "emulator/async_copy.h"
#include "emulator/error.h"

#include <cstdint>

namespace duel {

void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
              emulator::Location where = emulator::Location::current());
void mma_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
              emulator::Location where = emulator::Location::current());
std::uint32_t to_tf32(float value);

void load_matrices(std::uint32_t (&r)[4], const void* row, emulator::Location where = emulator::Location::current());
void load_transposed(std::uint32_t (&r)[4], const void* row, emulator::Location where = emulator::Location::current());

template <int Size, bool Cached = Size == 4>  // which cache a copy goes by changes nothing here
void copy_async(void* shared, const void* global, int bytes, emulator::Location where = emulator::Location::current()) {
  static_assert(Size == 4 || Size == 16);
  emulator::async_copy(shared, global, Size, bytes, where);
}
inline void copy_commit() {
  emulator::async_commit();
}
template <int Groups>
void copy_wait() {
  emulator::async_wait(Groups);
}

void cluster_barrier(emulator::Location where = emulator::Location::current());
void* in_cluster(const void* shared, unsigned rank, emulator::Location where);
template <class T>
const T* in_cluster(const T* shared, unsigned rank, emulator::Location where = emulator::Location::current()) {
  return static_cast<const T*>(in_cluster(static_cast<const void*>(shared), rank, where));
}

// A launch returns when its grid has ended, so there is nothing to wait for.
inline void wait_for_previous_kernel() {}
inline void let_next_kernel_start() {}

}  // namespace duel
