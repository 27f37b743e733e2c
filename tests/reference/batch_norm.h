// Reference of kernels/batch_norm.h. Arrays are [rows, columns]; `columns` numbers each for gamma, mean and the like.
#pragma once

#include "tests/reference/array.h"
#include "tests/reference/bias_act.h"

#include <cmath>

namespace duel::test::reference {

struct BatchStatistics {
  Array mean, variance;
};

inline BatchStatistics batch_statistics(const Array& x, std::int64_t columns) {
  const double rows = static_cast<double>(x.size()) / static_cast<double>(columns);
  BatchStatistics s{Array(at(columns), 0.0), Array(at(columns), 0.0)};
  for (std::size_t i = 0; i < x.size(); ++i) {
    s.mean[i % at(columns)] += x[i] / rows;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double deviation = x[i] - s.mean[i % at(columns)];
    s.variance[i % at(columns)] += deviation * deviation / rows;
  }
  return s;
}

inline Array reciprocal_deviation(const Array& variance, double epsilon) {
  Array rstd(variance.size());
  for (std::size_t c = 0; c < rstd.size(); ++c) {
    rstd[c] = 1 / std::sqrt(variance[c] + epsilon);
  }
  return rstd;
}

inline Array batch_normalize(const Activation& act, const Array& x, const Array& gamma, const Array& beta,
                             const Array& mean, const Array& rstd) {
  Array y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % gamma.size();
    y[i] = activate(act, gamma[c] * (x[i] - mean[c]) * rstd[c] + beta[c]);
  }
  return y;
}

struct BatchNormGradients {
  Array dx, dgamma, dbeta;
};

inline BatchNormGradients batch_norm_backward(const Array& dy, const Array& x, const Array& gamma, const Array& mean,
                                              const Array& rstd) {
  const std::size_t columns = gamma.size();
  const double rows = static_cast<double>(x.size()) / static_cast<double>(columns);
  BatchNormGradients g{Array(x.size()), Array(columns, 0.0), Array(columns, 0.0)};
  const auto h = [&](std::size_t i) { return (x[i] - mean[i % columns]) * rstd[i % columns]; };
  for (std::size_t i = 0; i < x.size(); ++i) {
    g.dgamma[i % columns] += dy[i] * h(i);
    g.dbeta[i % columns] += dy[i];
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % columns;
    g.dx[i] = gamma[c] * rstd[c] * (dy[i] - g.dbeta[c] / rows - h(i) * g.dgamma[c] / rows);
  }
  return g;
}

inline void batch_norm_track(double rows, double momentum, double epsilon, const Array& mean, const Array& rstd,
                             Array& running_mean, Array& running_variance) {
  for (std::size_t c = 0; c < mean.size(); ++c) {
    const double variance = std::fmax(0, 1 / (rstd[c] * rstd[c]) - epsilon);
    running_mean[c] += momentum * (mean[c] - running_mean[c]);
    running_variance[c] += momentum * (rows / (rows - 1) * variance - running_variance[c]);
  }
}

}  // namespace duel::test::reference
