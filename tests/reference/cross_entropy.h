// Reference of kernels/cross_entropy.h.
#pragma once

#include "kernels/cross_entropy.h"
#include "tests/reference/array.h"

#include <algorithm>
#include <cmath>

namespace duel::test::reference {

struct CrossEntropyResult {
  Array loss, log_sums;
};

inline bool is_label(double label, int classes) {
  return label >= 0 && label < classes;
}

inline double target_of(const CrossEntropy& p, int classes, double label, int k) {
  const double smoothing = static_cast<double>(p.smoothing);
  return is_label(label, classes) ? (k == label ? 1 - smoothing : 0) + smoothing / classes : 0;
}

inline CrossEntropyResult softmax_cross_entropy(const CrossEntropy& p, int classes, const Array& x,
                                                const Array& labels) {
  CrossEntropyResult result{{0}, Array(labels.size(), INFINITY)};
  for (std::size_t n = 0; n < labels.size(); ++n) {
    if (!is_label(labels[n], classes)) {
      continue;
    }
    const double* row = x.data() + n * at(classes);
    const double largest = *std::max_element(row, row + classes);
    double sum = 0;
    for (int k = 0; k < classes; ++k) {
      sum += std::exp(row[k] - largest);
    }
    result.log_sums[n] = largest + std::log(sum);
    for (int k = 0; k < classes; ++k) {
      result.loss[0] += target_of(p, classes, labels[n], k) * (result.log_sums[n] - row[k]);
    }
  }
  result.loss[0] /= static_cast<double>(labels.size());
  return result;
}

inline Array softmax_cross_entropy_backward(const CrossEntropy& p, int classes, const Array& x, const Array& labels,
                                            const Array& log_sums) {
  Array dx(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t n = i / at(classes);
    const double target = target_of(p, classes, labels[n], static_cast<int>(i % at(classes)));
    dx[i] = (std::exp(x[i] - log_sums[n]) - target) / static_cast<double>(labels.size());
  }
  return dx;
}

inline Array fraction_correct(int classes, const Array& x, const Array& labels) {
  double correct = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const double* row = x.data() + n * at(classes);
    correct += static_cast<double>(std::max_element(row, row + classes) - row) == labels[n] ? 1 : 0;
  }
  return {correct / static_cast<double>(labels.size())};
}

}  // namespace duel::test::reference
