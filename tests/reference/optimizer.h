// Reference of kernels/optimizer.h.
#pragma once

#include "kernels/optimizer.h"
#include "tests/reference/array.h"

#include <algorithm>
#include <cmath>

namespace duel::test::reference {

inline void adam(const Adam& p, double step, double gradient_scale, const Array& gradient, Array& w, Array& m,
                 Array& v) {
  const auto now = static_cast<std::int64_t>(step);
  const double t = static_cast<double>(p.clock.updates_before(now)) + 1;
  const double rate = value_at(p.learning_rate, now), beta2 = value_at(p.beta2, now);
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double g = gradient[i] * gradient_scale;
    m[i] = p.beta1 * m[i] + (1 - p.beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    const double m_hat = m[i] / (1 - std::pow(p.beta1, t));
    const double v_hat = v[i] / (1 - std::pow(beta2, t));
    w[i] -= rate * (m_hat / (std::sqrt(v_hat) + p.epsilon) + p.weight_decay * w[i]);
  }
}

inline void ema(double decay, const Array& w, Array& average) {
  for (std::size_t i = 0; i < w.size(); ++i) {
    average[i] = decay * average[i] + (1 - decay) * w[i];
  }
}

inline double global_norm(const Array& gradient) {
  double sum = 0;
  for (const double g : gradient) {
    sum += g * g;
  }
  return std::sqrt(sum);
}

inline double clip_scale(double max_norm, double norm) {
  return norm == 0 ? 1 : std::min(1.0, max_norm / norm);
}

}  // namespace duel::test::reference
