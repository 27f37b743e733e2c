// The little that a step writes down about itself on the device.
//
//   store_scalar     ring[step % R, column] = scalar[0]        scalar f32 [1]; ring f32 [R, columns]
//   advance_counter  step += 1                                 step i64 [1]
//
// The host reads a row of the ring some steps late, so that logging never makes the device wait.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void store_scalar(Context&, int column, View scalar, View step, View ring);
void advance_counter(Context&, View step);

}  // namespace duel
