// Reference of kernels/bias_act.h. Arrays are [rows, columns]; a bias without elements is none.
#pragma once

#include "kernels/activation.h"
#include "tests/reference/array.h"

#include <cmath>

namespace duel::test::reference {

inline double activate(const Activation& act, double x) {
  switch (act.kind) {
    case ActivationKind::identity: return x;
    case ActivationKind::relu: return x > 0 ? x : 0;
    case ActivationKind::leaky_relu: return x > 0 ? x : static_cast<double>(act.slope) * x;
    case ActivationKind::tanh: return std::tanh(x);
    case ActivationKind::sigmoid: return 1 / (1 + std::exp(-x));
  }
  return NAN;
}

// act'(x), given y = act(x).
inline double activation_slope(const Activation& act, double y) {
  switch (act.kind) {
    case ActivationKind::identity: return 1;
    case ActivationKind::relu: return y > 0 ? 1 : 0;
    case ActivationKind::leaky_relu: return y > 0 ? 1 : static_cast<double>(act.slope);
    case ActivationKind::tanh: return 1 - y * y;
    case ActivationKind::sigmoid: return y * (1 - y);
  }
  return NAN;
}

inline Array bias_act_forward(const Activation& act, const Array& x, const Array& bias, std::int64_t columns) {
  Array y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = activate(act, x[i] + (bias.empty() ? 0 : bias[i % at(columns)]));
  }
  return y;
}

inline Array activation_backward(const Activation& act, const Array& dy, const Array& y) {
  Array dx(dy.size());
  for (std::size_t i = 0; i < dy.size(); ++i) {
    dx[i] = dy[i] * activation_slope(act, y[i]);
  }
  return dx;
}

inline Array bias_backward(const Array& dy, std::int64_t columns) {
  Array db(at(columns), 0.0);
  for (std::size_t i = 0; i < dy.size(); ++i) {
    db[i % at(columns)] += dy[i];
  }
  return db;
}

}  // namespace duel::test::reference
