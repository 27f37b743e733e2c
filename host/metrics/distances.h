// Euclidean distances between rows, in double precision, block by block: nothing of the size rows x rows is kept.
//
// |x - y|^2 is computed as |x|^2 + |y|^2 - 2 x.y of centred rows, and again from the differences where that is mostly
// rounding, so that equal rows are at distance zero.
#pragma once

#include "host/metrics/features.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace duel {

class DistanceRows {
public:
  // Centred by `centre`, [width], the same for all that are compared.
  DistanceRows(const Features& features, std::span<const double> centre);

  std::int64_t count() const { return std::ssize(squares_); }
  std::int64_t width() const { return width_; }
  // Squared distances of rows first..end-1 from all of `other`: [end - first, other.count()].
  std::vector<double> squared_distances(std::int64_t first, std::int64_t end, const DistanceRows& other) const;

private:
  double exact(std::int64_t row, const DistanceRows& other, std::int64_t other_row) const;

  std::int64_t width_;
  std::vector<double> rows_;     // [count, width]
  std::vector<double> squares_;  // [count]: the norms'
};

std::vector<double> mean_row(const Features& features);

// Of each row the squared distance from its k-th nearest other row of the same set, for each k of `ks`, ascending and
// less than the number of rows: [ks][count].
std::vector<std::vector<double>> squared_radii(const DistanceRows& rows, std::span<const int> ks, int threads = 0);

// The nearest of many rows that come in a stream, for rows that are given.
class NearestRows {
public:
  struct Nearest {
    double squared = 0;  // distance
    std::int64_t row = -1;
  };

  NearestRows(const Features& queries, std::span<const double> centre, int threads = 0);

  // Rows first, first + 1.. of what is searched; of equally near ones the first is taken. `excludes_own`: query i is
  // not compared with row i, which is the same.
  void add(const Features& rows, std::int64_t first, bool excludes_own = false);
  const std::vector<Nearest>& nearest() const { return nearest_; }  // of each query

private:
  std::vector<double> centre_;
  DistanceRows queries_;
  int threads_;
  std::vector<Nearest> nearest_;
};

}  // namespace duel
