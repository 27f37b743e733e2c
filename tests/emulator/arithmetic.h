// CUDA's functions of one thread: arithmetic with its rounding in the name, bits, loads and stores with cache hints.
// The fast approximations are the exact functions here, so a test cannot see how far off they are on a GPU.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

// glibc declares functions of these names, which it does not export: macros are the way around.
#define __expf(x) (::expf(x))
#define __exp10f(x) (::exp10f(x))
#define __logf(x) (::logf(x))
#define __log2f(x) (::log2f(x))
#define __log10f(x) (::log10f(x))
#define __powf(x, y) (::powf((x), (y)))
#define __sinf(x) (::sinf(x))
#define __cosf(x) (::cosf(x))
#define __sincosf(x, sine, cosine) (::sincosf((x), (sine), (cosine)))

inline float __fdividef(float a, float b) {
  return a / b;
}
inline float __fdiv_rn(float a, float b) {
  return a / b;
}
inline float __fadd_rn(float a, float b) {
  return a + b;
}
inline float __fsub_rn(float a, float b) {
  return a - b;
}
inline float __fmul_rn(float a, float b) {
  return a * b;
}
inline float __fmaf_rn(float a, float b, float c) {
  return std::fma(a, b, c);
}
inline float __fsqrt_rn(float x) {
  return std::sqrt(x);
}
inline float __frcp_rn(float x) {
  return 1.0F / x;
}
inline float __frsqrt_rn(float x) {
  return 1.0F / std::sqrt(x);
}
inline float rsqrtf(float x) {
  return 1.0F / std::sqrt(x);
}
inline double rsqrt(double x) {
  return 1.0 / std::sqrt(x);
}
inline float __saturatef(float x) {  // NaN becomes 0
  return x > 0.0F ? (x < 1.0F ? x : 1.0F) : 0.0F;
}
inline float fdividef(float a, float b) {
  return a / b;
}

namespace duel::emulator {

template <class To, class From>
To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace duel::emulator

inline float __int_as_float(int bits) {
  return duel::emulator::same_bits<float>(bits);
}
inline int __float_as_int(float value) {
  return duel::emulator::same_bits<int>(value);
}
inline float __uint_as_float(unsigned bits) {
  return duel::emulator::same_bits<float>(bits);
}
inline unsigned __float_as_uint(float value) {
  return duel::emulator::same_bits<unsigned>(value);
}

inline int __popc(unsigned x) {
  return __builtin_popcount(x);
}
inline int __clz(int x) {
  return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x));
}
inline int __ffs(int x) {
  return __builtin_ffs(x);
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(std::uint64_t{a} * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Product = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<Product>(a) * b >> 64);
}

#define DUEL_EMULATOR_MIN_MAX(T) \
  inline T min(T a, T b) {       \
    return a < b ? a : b;        \
  }                              \
  inline T max(T a, T b) {       \
    return a > b ? a : b;        \
  }
DUEL_EMULATOR_MIN_MAX(int)
DUEL_EMULATOR_MIN_MAX(unsigned)
DUEL_EMULATOR_MIN_MAX(long)
DUEL_EMULATOR_MIN_MAX(unsigned long)
DUEL_EMULATOR_MIN_MAX(long long)
DUEL_EMULATOR_MIN_MAX(unsigned long long)
#undef DUEL_EMULATOR_MIN_MAX

inline float min(float a, float b) {  // of a number and NaN, the number
  return std::fmin(a, b);
}
inline float max(float a, float b) {
  return std::fmax(a, b);
}
inline double min(double a, double b) {
  return std::fmin(a, b);
}
inline double max(double a, double b) {
  return std::fmax(a, b);
}

template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
void __stcg(T* address, T value) {
  *address = value;
}
template <class T>
void __stcs(T* address, T value) {
  *address = value;
}
