// Storage types of array elements and their conversion to the float that arithmetic is done in.
#pragma once

#include "kernels/check.h"
#include "kernels/tensor.h"

#include <bit>
#include <cstdint>

namespace duel {

struct Bf16 {
  std::uint16_t bits;
};

inline float to_float(float value) {
  return value;
}
inline float to_float(Bf16 value) {
  return std::bit_cast<float>(std::uint32_t{value.bits} << 16);
}

template <class T>
T from_float(float value);

template <>
inline float from_float<float>(float value) {
  return value;
}

// Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
template <>
inline Bf16 from_float<Bf16>(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return {static_cast<std::uint16_t>(is_nan ? (bits >> 16) | 0x40U : rounded)};
}

// Calls `call` with a value of the element type that `dtype` names.
template <class Call>
void with_float_type(DType dtype, const Call& call) {
  if (dtype == DType::f32) {
    call(float{});
  } else if (dtype == DType::bf16) {
    call(Bf16{});
  } else {
    throw_error(Error::Kind::internal, "an operator was given elements of type {}", name_of(dtype));
  }
}

}  // namespace duel
