// Sixteen bytes at a time: four floats or eight bf16, always computed on as floats.
#pragma once

#include "kernels/cuda/platform.cuh"

#include <cstring>

namespace duel {

template <class T>
inline constexpr int kPerVector = 16 / static_cast<int>(sizeof(T));

template <class T>
struct alignas(16) Vector {
  T values[kPerVector<T>];
};

// Whether every pointer is aligned to 16 bytes: the condition of the vectorised body of a kernel.
template <class... Pointers>
bool all_aligned(Pointers... pointers) {
  return (... && (reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0));
}

template <class T>
__device__ __forceinline__ Vector<T> load_vector(const T* from) {
  return *reinterpret_cast<const Vector<T>*>(from);
}

template <class T>
__device__ __forceinline__ void store_vector(T* to, const Vector<T>& vector) {
  *reinterpret_cast<Vector<T>*>(to) = vector;
}

}  // namespace duel
