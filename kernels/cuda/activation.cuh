// Each activation and its derivative as a function object, so that a kernel is compiled per activation: in maps;
// or chosen as it runs, in the epilogues of products.
#pragma once

#include "kernels/activation.h"
#include "kernels/check.h"
#include "kernels/cuda/platform.cuh"

namespace duel {

template <ActivationKind Kind>
struct ActivationFunction {
  float slope = 0.0F;  // of leaky_relu

  // y = act(x). The relus are written so that a NaN passes: x < 0 is false for it, and a broken step must not look
  // healthy.
  __device__ __forceinline__ float operator()(float x) const {
    if constexpr (Kind == ActivationKind::relu) {
      return x < 0.0F ? 0.0F : x;
    } else if constexpr (Kind == ActivationKind::leaky_relu) {
      return x < 0.0F ? slope * x : x;
    } else if constexpr (Kind == ActivationKind::tanh) {
      return tanhf(x);
    } else if constexpr (Kind == ActivationKind::sigmoid) {
      return 1.0F / (1.0F + expf(-x));
    } else {
      static_assert(Kind == ActivationKind::identity);
      return x;
    }
  }

  // dx = dy * act'(x) from y = act(x). Not dy times a factor: where relu is 0, so is dx, even if dy is infinite.
  __device__ __forceinline__ float backward(float dy, float y) const {
    if constexpr (Kind == ActivationKind::relu) {
      return y > 0.0F ? dy : 0.0F;
    } else if constexpr (Kind == ActivationKind::leaky_relu) {
      return y > 0.0F ? dy : slope * dy;
    } else if constexpr (Kind == ActivationKind::tanh) {
      return dy * (1.0F - y * y);
    } else if constexpr (Kind == ActivationKind::sigmoid) {
      return dy * y * (1.0F - y);
    } else {
      return dy;
    }
  }
};

// Chosen as it runs, in kernels so large that one an activation would be too many.
__device__ __forceinline__ float activated(ActivationKind kind, float slope, float x) {
  using enum ActivationKind;
  switch (kind) {
    case relu: return ActivationFunction<relu>{}(x);
    case leaky_relu: return ActivationFunction<leaky_relu>{slope}(x);
    case tanh: return ActivationFunction<tanh>{}(x);
    case sigmoid: return ActivationFunction<sigmoid>{}(x);
    default: return x;
  }
}

__device__ __forceinline__ float activated_backward(ActivationKind kind, float slope, float dy, float y) {
  using enum ActivationKind;
  switch (kind) {
    case relu: return ActivationFunction<relu>{}.backward(dy, y);
    case leaky_relu: return ActivationFunction<leaky_relu>{slope}.backward(dy, y);
    case tanh: return ActivationFunction<tanh>{}.backward(dy, y);
    case sigmoid: return ActivationFunction<sigmoid>{}.backward(dy, y);
    default: return dy;
  }
}

// On the host: calls `call` with the ActivationFunction of that activation.
template <class Call>
void with_activation(const Activation& activation, Call&& call) {
  using enum ActivationKind;
  switch (activation.kind) {
    case identity: call(ActivationFunction<identity>{}); return;
    case relu: call(ActivationFunction<relu>{}); return;
    case leaky_relu: call(ActivationFunction<leaky_relu>{activation.slope}); return;
    case tanh: call(ActivationFunction<tanh>{}); return;
    case sigmoid: call(ActivationFunction<sigmoid>{}); return;
  }
  throw_error(Error::Kind::internal, "with_activation: unknown activation");
}

}  // namespace duel
