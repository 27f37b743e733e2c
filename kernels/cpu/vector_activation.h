// Activations of whole vectors.
#pragma once

#include "kernels/cpu/activation.h"
#include "kernels/cpu/vector.h"

namespace duel::simd {

// Calls call(act) with act(v) of a vector: relu and leaky_relu as one selection, tanh and sigmoid lane by lane.
template <class Call>
void with_vector_activation(const Activation& activation, const Call& call) {
  const float slope = activation.slope;
  switch (activation.kind) {
    case ActivationKind::identity: call([](Vec v) { return v; }); return;
    case ActivationKind::relu: call([](Vec v) { return v < 0.0F ? Vec{} : v; }); return;  // NaN passes
    case ActivationKind::leaky_relu: call([slope](Vec v) { return v < 0.0F ? slope * v : v; }); return;
    default: break;
  }
  with_activation(activation, [&](auto forward, auto) {
    call([forward](Vec v) {
      for (int lane = 0; lane < kLanes; ++lane) {
        v[lane] = forward(v[lane]);
      }
      return v;
    });
  });
}

}  // namespace duel::simd
