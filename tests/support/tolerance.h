// How far an operator's result may lie from its reference: the one table of all operator tests.
#pragma once

#include "kernels/tensor.h"

#include <cstdint>

namespace duel::test {

struct Tolerance {
  double relative = 0;  // of the value the reference gives
  double absolute = 0;
};

// `terms`: how many numbers are summed into one output; 0 where numbers are only moved, so the result is exact.
// `magnitude`: the size of one term. All arithmetic is f32, whose rounding of a running sum of random terms grows
// with their number (each partial sum is of the order sqrt(i), so n of them err by about 2^-24 * n / 2); rounding the
// result to bf16 adds half a unit of its last place, 2^-8 at most.
//
//   dtype     relative             absolute
//   f32       2^-21 (4 ulp)        2^-22 * terms * magnitude
//   bf16      2^-8 + 2^-20         2^-22 * terms * magnitude
//   integers  0                    0
inline Tolerance tolerance_of(DType dtype, std::int64_t terms, double magnitude) {
  const bool exact = terms == 0 || (dtype != DType::f32 && dtype != DType::bf16);
  if (exact) {
    return {0, 0};
  }
  return {dtype == DType::f32 ? 0x1p-21 : 0x1p-8 + 0x1p-20, 0x1p-22 * static_cast<double>(terms) * magnitude};
}

}  // namespace duel::test
