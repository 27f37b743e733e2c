#include "host/metrics/frechet.h"

#include "host/metrics/linear_algebra.h"
#include "kernels/check.h"

#include <algorithm>
#include <vector>

namespace duel {

namespace {

double trace(const std::vector<double>& square, int width) {
  double sum = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(width); ++i) {
    sum += square[i * static_cast<std::size_t>(width) + i];
  }
  return sum;
}

}  // namespace

FrechetDistance frechet_distance(const Moments& a, const Moments& b) {
  check(a.width() == b.width() && a.count() > 0 && b.count() > 0,
        "frechet distance: {} rows of {} numbers cannot be compared with {} rows of {}", a.count(), a.width(),
        b.count(), b.width());
  const int width = a.width();
  const std::vector<double> mean_a = a.mean(), mean_b = b.mean();
  const std::vector<double> covariance_a = a.covariance(), covariance_b = b.covariance();
  const SymmetricRoot root_a = symmetric_root(covariance_a.data(), width);
  const SymmetricRoot root_b = symmetric_root(covariance_b.data(), width);
  FrechetDistance distance;
  distance.rank_a = root_a.rank;
  distance.rank_b = root_b.rank;
  distance.has_full_rank = root_a.rank == width && root_b.rank == width;
  double means = 0;
  for (std::size_t i = 0; i < mean_a.size(); ++i) {
    means += (mean_a[i] - mean_b[i]) * (mean_a[i] - mean_b[i]);
  }
  std::vector<double> product(static_cast<std::size_t>(root_a.rank * root_b.rank));
  if (!product.empty()) {
    row_products(root_a.transposed.data(), root_a.rank, root_b.transposed.data(), root_b.rank, width, product.data());
  }
  const double value = means + trace(covariance_a, width) + trace(covariance_b, width) -
                       2 * nuclear_norm(product.data(), root_a.rank, root_b.rank);
  distance.value = std::max(value, 0.0);  // of equal sets what is left is rounding, of either sign
  return distance;
}

}  // namespace duel
