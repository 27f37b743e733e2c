// The pointwise functions that follow a dense or convolutional layer.
//
//   identity    y = x
//   relu        y = max(x, 0)
//   leaky_relu  y = x > 0 ? x : slope * x      slope in (0, 1)
//   tanh        y = tanh(x)
//   sigmoid     y = 1 / (1 + exp(-x))
//
// All of them can be differentiated from their output alone, so x is never kept.
#pragma once

#include <string>
#include <string_view>

namespace duel {

enum class ActivationKind { identity, relu, leaky_relu, tanh, sigmoid };

struct Activation {
  ActivationKind kind = ActivationKind::identity;
  float slope = 0.0F;  // of leaky_relu

  bool operator==(const Activation&) const = default;
};

// From the name above; throws kind `usage` naming the five.
Activation activation_named(std::string_view name, double slope);
std::string to_string(const Activation& activation);  // "leaky_relu(0.2)"

}  // namespace duel
