// Bias and activation, and their derivatives (contract: kernels/bias_act.h). The pointwise ones are maps (pointwise.cuh
// says who computes what), the gradient of the bias is a sum over rows (column_sum.cuh).
//
// Bytes moved: bias_act_forward and bias_backward read or write each array once; bias_act_backward makes dx on the way
// to the sums, so that dx is not read again.
#include "kernels/bias_act.h"

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/column_sum.cuh"
#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- device helpers

namespace {

template <class Act>
struct BiasAndActivation {
  Act act;
  __device__ float operator()(float bias, float x) const { return act(x + bias); }
};

template <class Act>
struct ActivationBackward {
  Act act;
  __device__ float operator()(float dy, float y) const { return act.backward(dy, y); }
};

// What bias_act_backward sums: dx as it is stored.
template <class T, class Act>
struct InputGradient {
  using Element = T;
  Act act;
  const T* dy;  // [rows, columns]
  const T* y;   // [rows, columns]
  T* dx;        // [rows, columns], may be dy

  template <int Width>
  struct Loaded {
    Vector<T, Width> dy, y;
  };

  template <int Width>
  __device__ __forceinline__ Loaded<Width> load(std::int64_t offset) const {
    return {load_vector<T, Width>(dy + offset), load_vector<T, Width>(y + offset)};
  }
  template <int Width>
  __device__ __forceinline__ void use(std::int64_t offset, const Loaded<Width>& loaded, float (&sums)[Width]) const {
    Vector<T, Width> result;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      result.values[i] = from_float<T>(act.backward(to_float(loaded.dy.values[i]), to_float(loaded.y.values[i])));
      sums[i] += to_float(result.values[i]);
    }
    store_vector(dx + offset, result);
  }
};

}  // namespace

// ---- launchers

void bias_act_forward(CudaContext& context, const Activation& activation, View x, View bias, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    with_activation(activation, [&](auto act) {
      if (bias.shape.rank() == 0) {
        map(context, "bias_act_forward", act, y.as<T>(), y.count(), x.as<const T>());
      } else {
        map_columns(context, "bias_act_forward", BiasAndActivation<decltype(act)>{act}, bias.as<const float>(),
                    bias.shape[0], y.as<T>(), y.count(), x.as<const T>());
      }
    });
  });
}

void activation_backward(CudaContext& context, const Activation& activation, View dy, View y, View dx) {
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    with_activation(activation, [&](auto act) {
      map(context, "activation_backward", ActivationBackward<decltype(act)>{act}, dx.as<T>(), dx.count(),
          dy.as<const T>(), y.as<const T>());
    });
  });
}

void bias_backward(CudaContext& context, View dy, View db) {
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    sum_columns(context, "bias_backward", ElementsOf<T>{dy.as<const T>()}, all_aligned(dy.data), dy.shape.outer_count(),
                dy.shape.back(), 1.0F, db.as<float>());
  });
}

void bias_act_backward(CudaContext& context, const Activation& activation, View dy, View y, View dx, View db) {
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    with_activation(activation, [&](auto act) {
      const InputGradient<T, decltype(act)> source{act, dy.as<const T>(), y.as<const T>(), dx.as<T>()};
      sum_columns(context, "bias_act_backward", source, all_aligned(dy.data, y.data, dx.data), dy.shape.outer_count(),
                  dy.shape.back(), 1.0F, db.as<float>());
    });
  });
}

}  // namespace duel
