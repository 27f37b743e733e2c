// Reference of kernels/group_norm.h. gamma and beta: empty where there are none.
#pragma once

#include "kernels/group_norm.h"
#include "tests/reference/array.h"

#include <cmath>

namespace duel::test::reference {

// Where the numbers of an array lie: of element i, its column and its group among all.
struct NormGroups {
  NormGroups(const GroupNorm& p, const Shape& x)
      : columns(at(x.back())),
        of_group(columns / at(p.groups)),
        groups(at(p.groups)),
        row(p.each_pixel ? columns : at(x.row_count())),
        count(at(x.count()) / row * groups),
        size(static_cast<double>(row / groups)) {}

  std::size_t column(std::size_t i) const { return i % columns; }
  std::size_t group(std::size_t i) const { return i / row * groups + column(i) / of_group; }

  std::size_t columns, of_group, groups, row, count;
  double size;  // numbers of a group
};

inline void group_norm_forward(const GroupNorm& p, const Shape& shape, const Array& x, const Array& gamma,
                               const Array& beta, Array& y, Array& mean, Array& rstd) {
  const NormGroups of(p, shape);
  Array variance(of.count, 0.0);
  mean.assign(of.count, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean[of.group(i)] += x[i] / of.size;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double deviation = x[i] - mean[of.group(i)];
    variance[of.group(i)] += deviation * deviation / of.size;
  }
  rstd.resize(of.count);
  for (std::size_t g = 0; g < of.count; ++g) {
    rstd[g] = 1 / std::sqrt(variance[g] + static_cast<double>(p.epsilon));
  }
  y.resize(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double h = (x[i] - mean[of.group(i)]) * rstd[of.group(i)];
    y[i] = gamma.empty() ? h : gamma[of.column(i)] * h + beta[of.column(i)];
  }
}

struct GroupNormGradients {
  Array dx, dgamma, dbeta;
};

inline GroupNormGradients group_norm_backward(const GroupNorm& p, const Shape& shape, const Array& dy, const Array& x,
                                              const Array& gamma, const Array& mean, const Array& rstd) {
  const NormGroups of(p, shape);
  const auto h = [&](std::size_t i) { return (x[i] - mean[of.group(i)]) * rstd[of.group(i)]; };
  const auto d = [&](std::size_t i) { return gamma.empty() ? dy[i] : gamma[of.column(i)] * dy[i]; };
  GroupNormGradients g{Array(x.size()), Array(gamma.size(), 0.0), Array(gamma.size(), 0.0)};
  Array sums(of.count, 0.0), products(of.count, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    sums[of.group(i)] += d(i) / of.size;
    products[of.group(i)] += d(i) * h(i) / of.size;
    if (!gamma.empty()) {
      g.dgamma[of.column(i)] += dy[i] * h(i);
      g.dbeta[of.column(i)] += dy[i];
    }
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    g.dx[i] = rstd[of.group(i)] * (d(i) - sums[of.group(i)] - h(i) * products[of.group(i)]);
  }
  return g;
}

}  // namespace duel::test::reference
