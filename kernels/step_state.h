// The little that a step writes down about itself on the device.
//
//   store_scalars    ring[step % R, column] = scalar[0] for each    scalars f32 [1]; ring f32 [R, columns]
//   advance_counter  step += 1                                      step i64 [1]
//
// The host reads a row of the ring some steps late, so that logging never makes the device wait.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

#include <span>

namespace duel {

struct StoredScalar {
  int column;  // no two alike
  View scalar;
};
inline constexpr int kMostStoredScalars = 16;  // of one call

void store_scalars(Context&, std::span<const StoredScalar> scalars, View step, View ring);
void advance_counter(Context&, View step);

}  // namespace duel
