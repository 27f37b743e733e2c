// Reference of kernels/elementwise.h.
#pragma once

#include "kernels/elementwise.h"
#include "tests/reference/array.h"

#include <cmath>

namespace duel::test::reference {

inline Array add(const Array& a, const Array& b) {
  Array y(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    y[i] = a[i] + b[i];
  }
  return y;
}

inline Array multiply(const Array& a, const Array& b) {
  Array y(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    y[i] = a[i] * b[i];
  }
  return y;
}

inline Array affine(double scale, double shift, const Array& x) {
  Array y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = scale * x[i] + shift;
  }
  return y;
}

inline double unary(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::softplus: return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
    case UnaryKind::sigmoid: return 1 / (1 + std::exp(-x));
    case UnaryKind::square_root: return std::sqrt(x);
    case UnaryKind::reciprocal: return 1 / x;
    case UnaryKind::positive: return x > 0 ? 1 : 0;
    case UnaryKind::exp: return std::exp(x);
    case UnaryKind::log: return std::log(x);
    case UnaryKind::abs: return std::fabs(x);
    case UnaryKind::sign: return x > 0 ? 1 : x < 0 ? -1 : x;
    case UnaryKind::sin: return std::sin(x);
    case UnaryKind::cos: return std::cos(x);
    case UnaryKind::rsqrt: return 1 / std::sqrt(x);
  }
  return NAN;
}

inline Array unary(UnaryKind kind, const Array& x) {
  Array y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = unary(kind, x[i]);
  }
  return y;
}

inline Array clamp(double low, double high, const Array& x) {
  Array y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
  }
  return y;
}

inline Array fill(double value, std::int64_t count) {
  return Array(at(count), value);
}

}  // namespace duel::test::reference
