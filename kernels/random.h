// Arrays of Philox numbers (philox.h). `step` is the device's step counter, i64 [1], so that one recorded program
// draws new numbers at every step.
//
//   random_normal   y ~ N(0, 1), by Box and Muller's transform of two integers each: numbers 2i and 2i+1 are
//                   sqrt(-2 ln u) * {cos, sin}(2 pi v) from integers 2i, 2i+1 of the array
//   random_uniform  y ~ U(0, 1), unit_float of integer i
//
// y f32, or bf16 for these numbers rounded, any shape, at most 2^34 elements. The integers are the same on every
// backend; the floats within a few ulp.
#pragma once

#include "kernels/context.h"
#include "kernels/philox.h"
#include "kernels/tensor.h"

namespace duel {

struct Random {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::d_latents;
};

void random_normal(Context&, const Random&, View step, View y);
void random_uniform(Context&, const Random&, View step, View y);

}  // namespace duel
