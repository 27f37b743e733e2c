// Vectors of floats as wide as the processor that is compiled for, with the compiler's own arithmetic on them.
#pragma once

#include "kernels/cpu/element.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <cstdint>
#include <type_traits>
#include <utility>

namespace duel::simd {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

using Vec = float __attribute__((vector_size(kLanes * sizeof(float))));

// A vector anywhere in an array of floats. (memcpy says the same, but GCC 12 then copies sums through the stack. And no
// alias-declaration: there clang takes no notice of the alignment.)
typedef float VecInArray __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));
inline Vec load(const float* from) {
  return *reinterpret_cast<const VecInArray*>(from);
}
inline void store(float* to, Vec v) {
  *reinterpret_cast<VecInArray*>(to) = v;
}

// The same of bf16, rounded as from_float() does.
using Bits = std::uint32_t __attribute__((vector_size(kLanes * sizeof(float))));
using HalfBits = std::uint16_t __attribute__((vector_size(kLanes * sizeof(Bf16))));
typedef std::uint16_t HalfBitsInArray __attribute__((vector_size(kLanes * sizeof(Bf16)), aligned(2), may_alias));
inline Vec load(const Bf16* from) {
  const HalfBits half = *reinterpret_cast<const HalfBitsInArray*>(from);
  return reinterpret_cast<Vec>(__builtin_convertvector(half, Bits) << 16);
}
inline void store(Bf16* to, Vec v) {
  const Bits bits = reinterpret_cast<Bits>(v);
  const Bits rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  const Bits nan = (bits >> 16) | 0x40U;
  *reinterpret_cast<HalfBitsInArray*>(to) =
      __builtin_convertvector((bits & 0x7FFFFFFFU) > 0x7F800000U ? nan : rounded, HalfBits);
}

inline constexpr int kLineBytes = 64;  // which memory is fetched in

// Past the caches, where all of a line is written and nobody reads it soon: an ordinary store first fetches the line.
// `to` is aligned to a vector. Other threads see it after end_streams().
inline void stream(float* to, Vec v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, reinterpret_cast<__m512>(v));
#else
  store(to, v);
#endif
}
inline void end_streams() {
#if defined(__AVX512F__)
  _mm_sfence();
#endif
}
// Whether results are better streamed: the caches do not hold so many until they are read. And whether they can be.
inline bool suits_streams(const void* to, std::size_t bytes) {
  return bytes >= (std::size_t{16} << 20) && reinterpret_cast<std::uintptr_t>(to) % kLineBytes == 0;
}

// Asks for the lines of `count` elements, into the second cache. (Inlined by force: GCC 12 takes a function that only
// prefetches for one without effect.)
template <bool Write, class T>
[[gnu::always_inline]] inline void prefetch(const T* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kLineBytes / static_cast<int>(sizeof(T))) {
    __builtin_prefetch(from + i, Write, 2);
  }
}

// Calls body(integral_constant 0), body(1) ... body(Count - 1): loops that are gone before the compiler looks at
// arrays, so that those indexed in them become registers. GCC 12 unrolls plain loops too late, and copies sums over the
// stack.
template <int Count, class Body>
[[gnu::always_inline]] inline void unrolled(const Body& body) {
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (body(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, Count>{});
}

}  // namespace duel::simd
