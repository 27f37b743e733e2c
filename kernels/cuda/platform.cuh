// CUDA itself, or the emulator in its place, and shared arrays, whose declaration is all that differs between the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifdef DUEL_EMULATED

#include <emulator/device.h>

#define DUEL_SHARED_ALIGNED(align, name, ...)                                \
  static constinit thread_local ::duel::emulator::SharedSlot name##_slot_{}; \
  auto& name = ::duel::emulator::shared_static<std::type_identity_t<__VA_ARGS__>, align>(name##_slot_)
#define DUEL_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(::duel::emulator::shared_dynamic(16))

#else

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#define DUEL_SHARED_ALIGNED(align, name, ...) __shared__ __align__(align) std::type_identity_t<__VA_ARGS__> name
#define DUEL_DYNAMIC_SHARED(T, name)                                    \
  extern __shared__ __align__(16) unsigned char duel_dynamic_shared_[]; \
  T* name = reinterpret_cast<T*>(duel_dynamic_shared_)

#endif

// DUEL_SHARED(sums, float[8]): an array of the block, aligned as its element type. DUEL_SHARED_ALIGNED(16, tile,
// Bf16[64][40]) where it is read as vectors, by cp.async or by ldmatrix. DUEL_DYNAMIC_SHARED(float, buffer): the bytes
// that the launch asked for, 16-byte aligned; one name per kernel.
#define DUEL_SHARED(name, ...) DUEL_SHARED_ALIGNED(alignof(std::type_identity_t<__VA_ARGS__>), name, __VA_ARGS__)

namespace duel {

using Bf16 = __nv_bfloat16;  // storage only: convert with to_float and from_float, compute in float

__device__ __forceinline__ float to_float(float value) {
  return value;
}
__device__ __forceinline__ float to_float(Bf16 value) {
  return __bfloat162float(value);
}

template <class T>
__device__ __forceinline__ T from_float(float value) {
  if constexpr (std::is_same_v<T, Bf16>) {
    return __float2bfloat16_rn(value);
  } else {
    return value;
  }
}

}  // namespace duel
