#include "kernels/optimizer.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>
#include <cmath>

namespace duel {

namespace {

// The step's constants, worked out once in double.
struct AdamStep {
  float gradient_scale, beta1, beta2, rest1, rest2, step_size, v_scale, epsilon, decay;

  AdamStep(const Adam& p, std::int64_t step, float scale) : gradient_scale(scale) {
    const double t = static_cast<double>(p.clock.updates_before(step)) + 1;
    const double rate = value_at(p.learning_rate, step), second = value_at(p.beta2, step);
    beta1 = static_cast<float>(p.beta1);
    beta2 = static_cast<float>(second);
    rest1 = static_cast<float>(1 - p.beta1);
    rest2 = static_cast<float>(1 - second);
    step_size = static_cast<float>(rate / (1 - std::pow(p.beta1, t)));
    v_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(second, t)));
    epsilon = static_cast<float>(p.epsilon);
    decay = static_cast<float>(rate * p.weight_decay);
  }
};

constexpr std::int64_t kAveraged = 1 << 12;  // weights that are averaged while they lie in the first cache

// What a moving average keeps, and takes of the weights.
struct AverageStep {
  float keep, take;

  AverageStep(const Schedule& decay, std::int64_t step) {
    const double kept = value_at(decay, step);
    keep = static_cast<float>(kept);
    take = static_cast<float>(1 - kept);
  }
};

void average_range(const AverageStep& s, const float* __restrict w, float* __restrict average, std::int64_t begin,
                   std::int64_t end) {
  const AverageStep p = s;
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) {
    average[i] = p.keep * average[i] + p.take * w[i];
  }
}

template <bool kCompute, bool kDecay>
void adam_range(const AdamStep& s, const float* __restrict g, float* __restrict w, float* __restrict m,
                float* __restrict v, Bf16* __restrict compute, std::int64_t begin, std::int64_t end) {
  const AdamStep p = s;  // in registers: the stores below might otherwise be thought to change it
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) {
    const float gradient = g[i] * p.gradient_scale;
    const float m_next = p.beta1 * m[i] + p.rest1 * gradient;
    const float v_next = p.beta2 * v[i] + p.rest2 * gradient * gradient;
    const float change = p.step_size * m_next / (std::sqrt(v_next) * p.v_scale + p.epsilon);
    const float w_next = w[i] - (kDecay ? change + p.decay * w[i] : change);
    m[i] = m_next;
    v[i] = v_next;
    w[i] = w_next;
    if constexpr (kCompute) {
      compute[i] = from_float<Bf16>(w_next);
    }
  }
}

}  // namespace

void adam(CpuContext& context, const Adam& p, View step, View gradient_scale, View gradient, const AdamState& state) {
  const float scale = gradient_scale.shape.rank() > 0 ? gradient_scale.as<float>()[0] : 1.0F;
  const AdamStep constants(p, step.as<std::int64_t>()[0], scale);
  const AverageStep averaging(p.average_decay, step.as<std::int64_t>()[0]);
  const bool decays = p.weight_decay != 0;
  parallel_ranges(context, state.w.count(), kPointwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    const auto* g = gradient.as<float>();
    auto *w = state.w.as<float>(), *m = state.m.as<float>(), *v = state.v.as<float>();
    Bf16* compute = state.compute.shape.rank() > 0 ? state.compute.as<Bf16>() : nullptr;
    const auto run = compute != nullptr ? (decays ? adam_range<true, true> : adam_range<true, false>)
                                        : (decays ? adam_range<false, true> : adam_range<false, false>);
    if (state.average.shape.rank() == 0) {
      run(constants, g, w, m, v, compute, begin, end);
      return;
    }
    for (; begin < end; begin += kAveraged) {
      const std::int64_t behind = std::min(end, begin + kAveraged);
      run(constants, g, w, m, v, compute, begin, behind);
      average_range(averaging, w, state.average.as<float>(), begin, behind);
    }
  });
}

void ema(CpuContext& context, const Schedule& decay, View step, View w, View average) {
  const AverageStep averaging(decay, step.shape.rank() > 0 ? step.as<std::int64_t>()[0] : 0);
  parallel_ranges(context, w.count(), kPointwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    average_range(averaging, w.as<float>(), average.as<float>(), begin, end);
  });
}

void global_norm(CpuContext& context, View gradient, View y) {
  const std::int64_t count = gradient.count(), most = CpuContext::kPartialBytes / sizeof(double);
  const std::int64_t block = std::max<std::int64_t>(1 << 14, (count + most - 1) / most);
  const std::int64_t blocks = (count + block - 1) / block;
  auto* partials = static_cast<double*>(context.partials());
  parallel_ranges(context, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t index = begin; index < end; ++index) {
      const float* g = gradient.as<float>() + index * block;
      const std::int64_t length = std::min(block, count - index * block);
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::int64_t i = 0; i < length; ++i) {
        sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
      }
      partials[index] = sum;
    }
  });
  double sum = 0;
  for (std::int64_t index = 0; index < blocks; ++index) {
    sum += partials[index];
  }
  y.as<float>()[0] = static_cast<float>(std::sqrt(sum));
}

void clip_scale(CpuContext&, double max_norm, View norm, View y) {
  const double value = static_cast<double>(norm.as<float>()[0]);
  y.as<float>()[0] = value > max_norm ? static_cast<float>(max_norm / value) : 1.0F;
}

}  // namespace duel
