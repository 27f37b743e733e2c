// The update of a whole parameter block (contract: kernels/optimizer.h), one launch each.
//
//   adam         one thread takes four elements of every array at a time and loops over the grid; 28 bytes moved per
//                element (30 with `compute`, 8 more with an average). The first thread of each block works out the
//                step's constants from the counter in memory, in f64, while the block's first vectors are on their way.
//   ema          a map whose factors are worked out at the step (pointwise.cuh)
//   global_norm  the sum of one row (row_sum.cuh), each square in f64
//
// spills: ptxas (sm_80 to sm_90) holds adam_kernel of four elements to 64 registers, with which four blocks fit on a
// multiprocessor, and puts aside two words a thread while the first one works out the constants.
#include "kernels/optimizer.h"

#include "kernels/cuda/pointwise.cuh"
#include "kernels/cuda/row_sum.cuh"

namespace duel {

// ---- device helpers

namespace {

// What all elements of one update share.
struct AdamStep {
  float gradient_scale, beta1, beta2, rest1, rest2, step_size, v_scale, epsilon, decay;
  float keep, take;  // of the average, and of the new weights
};

// By repeated squaring: the relative error, about t * 2^-53, is largest where the power itself is too small to matter.
__device__ __forceinline__ double power(double base, std::int64_t t) {
  double result = 1;
#pragma unroll 1
  for (; t > 0; t /= 2) {
    if (t % 2 == 1) {
      result *= base;
    }
    base *= base;
  }
  return result;
}

__device__ __forceinline__ AdamStep adam_step(const Adam& p, std::int64_t step, float gradient_scale) {
  const std::int64_t t = p.clock.updates_before(step) + 1;
  const double rate = value_at(p.learning_rate, step), beta2 = value_at(p.beta2, step);
  AdamStep s;
  s.gradient_scale = gradient_scale;
  s.beta1 = static_cast<float>(p.beta1);
  s.beta2 = static_cast<float>(beta2);
  s.rest1 = static_cast<float>(1 - p.beta1);
  s.rest2 = static_cast<float>(1 - beta2);
  s.step_size = static_cast<float>(rate / (1 - power(p.beta1, t)));
  s.v_scale = static_cast<float>(1 / sqrt(1 - power(beta2, t)));
  s.epsilon = static_cast<float>(p.epsilon);
  s.decay = static_cast<float>(rate * p.weight_decay);
  const double kept = value_at(p.average_decay, step);
  s.keep = static_cast<float>(kept);
  s.take = static_cast<float>(1 - kept);
  return s;
}

template <int Width>
struct AdamVectors {
  Vector<float, Width> g, w, m, v;
};

template <int Width>
__device__ __forceinline__ AdamVectors<Width> load_adam(const float* g, const float* w, const float* m, const float* v,
                                                        std::int64_t i) {
  return {load_vector<float, Width>(g + i), load_vector<float, Width>(w + i), load_vector<float, Width>(m + i),
          load_vector<float, Width>(v + i)};
}

template <int Width>
__device__ __forceinline__ void update(const AdamStep& s, AdamVectors<Width>& x) {
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    const float gradient = x.g.values[i] * s.gradient_scale;
    const float m = s.beta1 * x.m.values[i] + s.rest1 * gradient;
    const float v = s.beta2 * x.v.values[i] + s.rest2 * gradient * gradient;
    x.w.values[i] -= s.step_size * m / (sqrtf(v) * s.v_scale + s.epsilon) + s.decay * x.w.values[i];
    x.m.values[i] = m;
    x.v.values[i] = v;
  }
}

// Loaded this late, it takes no registers from what is on its way meanwhile.
template <int Width>
__device__ __forceinline__ void update_average(const AdamStep& s, const Vector<float, Width>& w, float* average,
                                               std::int64_t i) {
  Vector<float, Width> next = load_vector<float, Width>(average + i);
#pragma unroll
  for (int k = 0; k < Width; ++k) {
    next.values[k] = s.keep * next.values[k] + s.take * w.values[k];
  }
  store_vector(average + i, next);
}

template <int Width>
__device__ __forceinline__ void store_adam(const AdamVectors<Width>& x, float* w, float* m, float* v, Bf16* compute,
                                           std::int64_t i) {
  store_vector(w + i, x.w);
  store_vector(m + i, x.m);
  store_vector(v + i, x.v);
  if (compute != nullptr) {
    Vector<Bf16, Width> rounded;
#pragma unroll
    for (int k = 0; k < Width; ++k) {
      rounded.values[k] = from_float<Bf16>(x.w.values[k]);
    }
    store_vector(compute + i, rounded);
  }
}

struct MovingAverage {
  struct Factors {
    float keep, take;
    __device__ float operator()(float average, float w) const { return keep * average + take * w; }
  };
  Schedule decay;
  __device__ Factors at(std::int64_t step) const {
    const double value = value_at(decay, step);
    return {static_cast<float>(value), static_cast<float>(1 - value)};
  }
};

struct SumOfSquares {
  template <int Width>
  __device__ __forceinline__ double operator()(const Vector<float, Width>& x) const {
    double sum = 0;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      const double value = x.values[i];
      sum += value * value;
    }
    return sum;
  }
};

struct Root {
  __device__ float operator()(double sum) const { return static_cast<float>(sqrt(sum)); }
};

}  // namespace

// ---- kernels

template <int Width, bool Averages>
__global__ void __launch_bounds__(kMapThreads, 4) adam_kernel(Adam p, const std::int64_t* step,  // [1]
                                                              const float* gradient_scale,       // [1], or null for 1
                                                              const float* g,                    // [count]
                                                              float* w, float* m, float* v,      // [count] each
                                                              Bf16* compute,                     // [count], or null
                                                              float* average,  // [count], if it Averages
                                                              std::int64_t count) {
  DUEL_SHARED(constants, AdamStep);
  const std::int64_t thread = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads, vectors = count / Width;
  std::int64_t i = thread;
  AdamVectors<Width> next{};
  if (i < vectors) {
    next = load_adam<Width>(g, w, m, v, i * Width);
  }
  if (threadIdx.x == 0) {
    constants = adam_step(p, step[0], gradient_scale == nullptr ? 1.0F : gradient_scale[0]);
  }
  __syncthreads();  // every thread reads them
  const AdamStep s = constants;
  while (i < vectors) {
    AdamVectors<Width> now = next;
    const std::int64_t offset = i * Width;
    i += stride;
    if (i < vectors) {  // the next loads are on their way before these stores
      next = load_adam<Width>(g, w, m, v, i * Width);
    }
    update(s, now);
    store_adam(now, w, m, v, compute, offset);
    if constexpr (Averages) {
      update_average<Width>(s, now.w, average, offset);
    }
  }
  if (const std::int64_t last = vectors * Width + thread; last < count) {  // fewer than Width elements
    AdamVectors<1> now = load_adam<1>(g, w, m, v, last);
    update(s, now);
    store_adam(now, w, m, v, compute, last);
    if constexpr (Averages) {
      update_average<1>(s, now.w, average, last);
    }
  }
}

__global__ void __launch_bounds__(32) clip_scale_kernel(double max_norm, const float* norm,  // [1]
                                                        float* y) {                          // [1]
  if (threadIdx.x == 0) {
    const double value = norm[0];
    y[0] = value > max_norm ? static_cast<float>(max_norm / value) : 1.0F;
  }
}

// ---- launchers

void adam(CudaContext& context, const Adam& p, View step, View gradient_scale, View gradient, const AdamState& state) {
  const std::int64_t count = state.w.count();
  const auto* scale = gradient_scale.shape.rank() > 0 ? gradient_scale.as<const float>() : nullptr;
  auto* compute = state.compute.shape.rank() > 0 ? state.compute.as<Bf16>() : nullptr;
  auto* average = state.average.shape.rank() > 0 ? state.average.as<float>() : nullptr;
  const auto run = [&](auto width, auto averages) {
    constexpr int kWidth = decltype(width)::value;
    launch(context, "adam", {blocks_for(count, kMapThreads, kWidth, kMapBlocks), kMapThreads},
           adam_kernel<kWidth, decltype(averages)::value>, p, step.as<const std::int64_t>(), scale,
           gradient.as<const float>(), state.w.as<float>(), state.m.as<float>(), state.v.as<float>(), compute, average,
           count);
  };
  const auto with_width = [&](auto averages) {
    all_aligned(gradient.data, state.w.data, state.m.data, state.v.data, compute, average)
        ? run(std::integral_constant<int, 4>{}, averages)
        : run(std::integral_constant<int, 1>{}, averages);
  };
  average != nullptr ? with_width(std::true_type{}) : with_width(std::false_type{});
}

void ema(CudaContext& context, const Schedule& decay, View step, View w, View average) {
  const auto* counter = step.shape.rank() > 0 ? step.as<const std::int64_t>() : nullptr;
  map_at_step(context, "ema", MovingAverage{decay}, counter, average.as<float>(), average.count(),
              average.as<const float>(), w.as<const float>());
}

void global_norm(CudaContext& context, View gradient, View y) {
  sum_rows(context, "global_norm", gradient.as<const float>(), 1, gradient.count(), SumOfSquares{}, Root{},
           y.as<float>());
}

void clip_scale(CudaContext& context, double max_norm, View norm, View y) {
  launch(context, "clip_scale", {1, 32}, clip_scale_kernel, max_norm, norm.as<const float>(), y.as<float>());
}

}  // namespace duel
