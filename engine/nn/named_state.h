// What networks keep between steps beside trained weights, such as running statistics: f32, in checkpoints.
#pragma once

#include "engine/program/program.h"

#include <functional>
#include <string>

namespace duel {

// Gives such an array by name while a network is recorded; every element starts as `initial`.
using NamedState = std::function<Value(const std::string& name, const Shape& shape, double initial)>;

}  // namespace duel
