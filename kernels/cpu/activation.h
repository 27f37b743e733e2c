// Each activation and its derivative as a function object, so that a loop is compiled per activation.
#pragma once

#include "kernels/activation.h"
#include "kernels/check.h"

#include <cmath>

namespace duel {

// Calls call(forward, backward) with forward(x) = act(x) and backward(dy, y) = dy * act'(x) from y = act(x).
template <class Call>
void with_activation(const Activation& activation, const Call& call) {
  switch (activation.kind) {
    case ActivationKind::identity: call([](float x) { return x; }, [](float dy, float) { return dy; }); return;
    case ActivationKind::relu:
      // Written so that a NaN passes: x < 0 is false for it, and a broken step must not look healthy.
      call([](float x) { return x < 0.0F ? 0.0F : x; }, [](float dy, float y) { return y > 0.0F ? dy : 0.0F; });
      return;
    case ActivationKind::leaky_relu: {
      const float slope = activation.slope;
      call([slope](float x) { return x < 0.0F ? slope * x : x; },
           [slope](float dy, float y) { return y > 0.0F ? dy : slope * dy; });
      return;
    }
    case ActivationKind::tanh:
      call([](float x) { return std::tanh(x); }, [](float dy, float y) { return dy * (1.0F - y * y); });
      return;
    case ActivationKind::sigmoid:
      call([](float x) { return 1.0F / (1.0F + std::exp(-x)); }, [](float dy, float y) { return dy * y * (1.0F - y); });
      return;
  }
  throw_error(Error::Kind::internal, "with_activation: unknown activation");
}

}  // namespace duel
