#include "host/metrics/class_score.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace duel {

double class_score(const Features& probabilities) {
  check(probabilities.count() > 0, "class score: there are no rows");
  const auto classes = static_cast<std::size_t>(probabilities.width);
  std::vector<double> mean(classes);
  for (std::size_t i = 0; i < probabilities.values.size(); ++i) {
    mean[i % classes] += probabilities.values[i] / static_cast<double>(probabilities.count());
  }
  double divergence = 0;
  for (std::size_t i = 0; i < probabilities.values.size(); ++i) {
    const double p = probabilities.values[i];
    divergence += p > 0 ? p * std::log(p / mean[i % classes]) : 0;
  }
  return std::exp(divergence / static_cast<double>(probabilities.count()));
}

std::vector<std::int64_t> called_counts(const Features& probabilities) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(probabilities.width));
  for (std::int64_t i = 0; i < probabilities.count(); ++i) {
    const std::span<const float> row = probabilities.row(i);
    ++counts[static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin())];
  }
  return counts;
}

double mode_divergence(std::span<const std::int64_t> called, std::span<const std::int64_t> real) {
  check(called.size() == real.size(), "mode divergence: {} classes are called, and {} are real", called.size(),
        real.size());
  const auto total = [](std::span<const std::int64_t> counts) {
    return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) +
           0.5 * static_cast<double>(counts.size());
  };
  const double of_called = total(called), of_real = total(real);
  double divergence = 0;
  for (std::size_t i = 0; i < called.size(); ++i) {
    const double p = (static_cast<double>(called[i]) + 0.5) / of_called;
    const double q = (static_cast<double>(real[i]) + 0.5) / of_real;
    divergence += p * std::log(p / q);
  }
  return divergence;
}

}  // namespace duel
