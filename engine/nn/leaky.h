// The leaky ReLU that most papers use, and how layers before it start.
#pragma once

#include "engine/nn/layers.h"

namespace duel {

inline constexpr Activation kLeaky{ActivationKind::leaky_relu, 0.2F};

// He's normal weights for that slope, biases zero.
inline LayerInitial he_before_leaky(int fan_in, int /*fan_out*/) {
  return {Initial::he(fan_in, kLeaky.slope), Initial::zeros()};
}

}  // namespace duel
