#include "host/latents/directions.h"

#include "host/metrics/linear_algebra.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace duel {

namespace {

// Of a vector and its opposite the one whose greatest element is positive; of length 1.
std::vector<float> unit_of(std::span<const double> vector) {
  double squares = 0, greatest = 0;
  for (const double number : vector) {
    squares += number * number;
    greatest = std::abs(number) > std::abs(greatest) ? number : greatest;
  }
  const double scale = squares > 0 ? (greatest < 0 ? -1 : 1) / std::sqrt(squares) : 0;
  std::vector<float> unit;
  for (const double number : vector) {
    unit.push_back(static_cast<float>(scale * number));
  }
  return unit;
}

}  // namespace

std::vector<LatentDirection> sefa_directions(const double* matrix, std::int64_t latent, std::int64_t outputs,
                                             int count) {
  const auto width = static_cast<std::size_t>(latent);
  std::vector<double> squares(width * width);
  row_products(matrix, latent, matrix, latent, outputs, squares.data());
  const EigenPairs pairs = symmetric_eigen(squares.data(), latent);
  double sum = 0;
  for (const double value : pairs.values) {
    sum += std::max(value, 0.0);
  }
  std::vector<LatentDirection> directions;
  for (std::size_t i = 0; i < std::min(width, static_cast<std::size_t>(count)); ++i) {
    directions.push_back({unit_of(std::span(pairs.vectors).subspan(i * width, width)),
                          sum > 0 ? std::max(pairs.values[i], 0.0) / sum : 0});
  }
  return directions;
}

std::vector<LatentDirection> pca_directions(std::span<const float> latents, std::span<const float> features,
                                            std::int64_t latent, std::int64_t width, int count) {
  const std::int64_t rows = std::ssize(latents) / latent;
  const int components = static_cast<int>(std::min<std::int64_t>({count, latent, width, rows - 1}));
  const PrincipalComponents found = principal_components(features.data(), rows, width, components);
  const std::vector<double> given(latents.begin(), latents.end());
  const std::vector<double> slopes =  // [latent,components]
      least_squares(given.data(), rows, latent, found.coordinates.data(), components);
  std::vector<LatentDirection> directions;
  for (int i = 0; i < components; ++i) {
    std::vector<double> slope;
    for (std::int64_t j = 0; j < latent; ++j) {
      slope.push_back(slopes[static_cast<std::size_t>(j * components + i)]);
    }
    const double share = found.variances[static_cast<std::size_t>(i)] / std::max(found.total_variance, 1e-300);
    directions.push_back({unit_of(slope), share});
  }
  return directions;
}

}  // namespace duel
