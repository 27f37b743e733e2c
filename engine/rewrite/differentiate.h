// Reverse-mode differentiation of a recorded program, by appending the backward pass to it.
#pragma once

#include "engine/program/program.h"

#include <vector>

namespace duel {

// Appends nodes that compute d(sum of all elements of `loss`) / d(value) for each value of `with_respect_to`, and
// returns those gradients, in the order given; each has its value's shape and `gradient_dtype`. A gradient that is zero
// everywhere is returned as an array of zeros. Only nodes between the two are differentiated, so parameters that are
// not asked for cost nothing. The appended nodes are ordinary: differentiate may be applied to its own results. Throws
// kind `internal` naming the operator where one on the way has no derivative.
std::vector<Value> differentiate(Program& program, Value loss, const std::vector<Value>& with_respect_to);

}  // namespace duel
