#include "host/metrics/distances.h"

#include "host/metrics/linear_algebra.h"
#include "host/metrics/row_blocks.h"
#include "kernels/check.h"

#include <algorithm>
#include <limits>

namespace duel {

namespace {

constexpr std::int64_t kBlock = 256;  // rows whose distances from all others are made at once
// Rounding of products of some thousands of numbers is below this share of their norms.
constexpr double kRounding = 1e-12;

}  // namespace

std::vector<double> mean_row(const Features& features) {
  std::vector<double> mean(static_cast<std::size_t>(features.width));
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    mean[i % mean.size()] += features.values[i];
  }
  for (double& each : mean) {
    each /= static_cast<double>(features.count());
  }
  return mean;
}

DistanceRows::DistanceRows(const Features& features, std::span<const double> centre)
    : width_(features.width), rows_(features.values.size()), squares_(static_cast<std::size_t>(features.count())) {
  check(std::ssize(centre) == width_, "distances: a centre of {} numbers for rows of {}", centre.size(), width_);
  const auto width = static_cast<std::size_t>(width_);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    rows_[i] = features.values[i] - centre[i % width];
    squares_[i / width] += rows_[i] * rows_[i];
  }
}

double DistanceRows::exact(std::int64_t row, const DistanceRows& other, std::int64_t other_row) const {
  const double* const x = rows_.data() + row * width_;
  const double* const y = other.rows_.data() + other_row * width_;
  double sum = 0;
  for (std::int64_t i = 0; i < width_; ++i) {
    sum += (x[i] - y[i]) * (x[i] - y[i]);
  }
  return sum;
}

std::vector<double> DistanceRows::squared_distances(std::int64_t first, std::int64_t end,
                                                    const DistanceRows& other) const {
  const std::int64_t columns = other.count();
  std::vector<double> distances(static_cast<std::size_t>((end - first) * columns));
  row_products(rows_.data() + first * width_, end - first, other.rows_.data(), columns, width_, distances.data());
  for (std::int64_t i = 0; i < end - first; ++i) {
    const double square = squares_[static_cast<std::size_t>(first + i)];
    for (std::int64_t j = 0; j < columns; ++j) {
      double& value = distances[static_cast<std::size_t>(i * columns + j)];
      const double norms = square + other.squares_[static_cast<std::size_t>(j)];
      value = norms - 2 * value;
      if (value <= kRounding * norms) {
        value = exact(first + i, other, j);
      }
    }
  }
  return distances;
}

std::vector<std::vector<double>> squared_radii(const DistanceRows& rows, std::span<const int> ks, int threads) {
  check(!ks.empty() && std::is_sorted(ks.begin(), ks.end()) && ks.front() > 0 && ks.back() < rows.count(),
        "radii: there are {} rows, too few for neighbour {}", rows.count(), ks.empty() ? 0 : ks.back());
  std::vector<std::vector<double>> radii(ks.size(), std::vector<double>(static_cast<std::size_t>(rows.count())));
  const auto most = static_cast<std::size_t>(ks.back());
  for_row_blocks(rows.count(), kBlock, threads, [&](std::int64_t, std::int64_t first, std::int64_t end) {
    std::vector<double> distances = rows.squared_distances(first, end, rows);
    for (std::int64_t row = first; row < end; ++row) {
      const std::span<double> its = std::span(distances).subspan(static_cast<std::size_t>((row - first) * rows.count()),
                                                                 static_cast<std::size_t>(rows.count()));
      its[static_cast<std::size_t>(row)] = std::numeric_limits<double>::infinity();
      std::partial_sort(its.begin(), its.begin() + static_cast<std::ptrdiff_t>(most), its.end());
      for (std::size_t k = 0; k < ks.size(); ++k) {
        radii[k][static_cast<std::size_t>(row)] = its[static_cast<std::size_t>(ks[k] - 1)];
      }
    }
  });
  return radii;
}

NearestRows::NearestRows(const Features& queries, std::span<const double> centre, int threads)
    : centre_(centre.begin(), centre.end()),
      queries_(queries, centre),
      threads_(threads),
      nearest_(static_cast<std::size_t>(queries.count()), {std::numeric_limits<double>::infinity(), -1}) {}

void NearestRows::add(const Features& rows, std::int64_t first, bool excludes_own) {
  check(rows.width == queries_.width(), "nearest rows: of {} numbers, where {} are compared", rows.width,
        queries_.width());
  const DistanceRows searched(rows, centre_);
  for_row_blocks(queries_.count(), kBlock, threads_, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    std::vector<double> distances = queries_.squared_distances(begin, end, searched);
    for (std::int64_t i = begin; i < end; ++i) {
      if (excludes_own && i >= first && i < first + searched.count()) {
        distances[static_cast<std::size_t>((i - begin) * searched.count() + i - first)] =
            std::numeric_limits<double>::infinity();
      }
      const auto its = distances.begin() + (i - begin) * searched.count();
      const auto least = std::min_element(its, its + searched.count());
      Nearest& nearest = nearest_[static_cast<std::size_t>(i)];
      if (*least < nearest.squared) {
        nearest = {*least, first + (least - its)};
      }
    }
  });
}

}  // namespace duel
