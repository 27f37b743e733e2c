// The Fréchet distance of two normal distributions, fitted to the features of two sets of pictures: FID, where the
// features are those of Inception.
//
//   |mean_a - mean_b|^2 + tr(C_a) + tr(C_b) - 2 tr((C_a C_b)^(1/2))
//
// Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", 2017, eq. 6;
// Dowson and Landau 1982. With C_a = A A^T and C_b = B B^T the last trace is the sum of the singular values of A^T B:
// no root is taken of a rounded eigenvalue, so that covariances of lower rank than their width are right too.
#pragma once

#include "host/metrics/moments.h"

#include <cstdint>

namespace duel {

struct FrechetDistance {
  double value = 0;
  std::int64_t rank_a = 0, rank_b = 0;  // of the covariances

  // The distance falls with the number of rows; of a set that has no more rows than they are wide, and so does not
  // span them, it says little.
  bool has_full_rank = false;
};

// Each has one row or more. Rows of two widths are an error of kind `internal`.
FrechetDistance frechet_distance(const Moments& a, const Moments& b);

// The least number of rows whose covariance can have full rank.
constexpr std::int64_t least_rows_of_full_rank(int width) {
  return std::int64_t{width} + 1;
}

}  // namespace duel
