// Sixteen bytes at a time: four floats or eight bf16, always computed on as floats.
#pragma once

#include "kernels/cuda/platform.cuh"

namespace duel {

template <class T>
inline constexpr int kPerVector = 16 / static_cast<int>(sizeof(T));

// `Width` elements that are read and written at once: at their own alignment, so at most sixteen bytes of them.
template <class T, int Width = kPerVector<T>>
struct alignas(Width * sizeof(T)) Vector {
  static_assert(Width * sizeof(T) <= 16);
  T values[Width];
};

// Whether every pointer is aligned to 16 bytes: the condition of the vectorised body of a kernel.
template <class... Pointers>
bool all_aligned(Pointers... pointers) {
  return (... && (reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0));
}

template <class T, int Width = kPerVector<T>>
__device__ __forceinline__ Vector<T, Width> load_vector(const T* from) {
  return *reinterpret_cast<const Vector<T, Width>*>(from);
}

template <class T, int Width>
__device__ __forceinline__ void store_vector(T* to, const Vector<T, Width>& vector) {
  *reinterpret_cast<Vector<T, Width>*>(to) = vector;
}

}  // namespace duel
