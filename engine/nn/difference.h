#pragma once

#include "engine/program/program.h"

namespace duel {

// a - b, of one shape and type.
Value difference(Program& p, Value a, Value b);
// The mean of |a - b|, one f32, of arrays of one shape, each of any type.
Value mean_absolute_difference(Program& p, Value a, Value b);
// The sum of (a - b)^2 over the sum of b^2, one f32, of arrays of one shape, each of any type: how far a is from b in
// units of b.
Value relative_squared_difference(Program& p, Value a, Value b);

}  // namespace duel
