// Mean and covariance of rows that come in a stream: memory does not grow with their number.
//
// Rows are centred by the mean of their block before they are multiplied, and blocks are joined as in Chan, Golub and
// LeVeque, "Algorithms for computing the sample variance", 1983, eq. 1.5, so that a large mean costs no digits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace duel {

class Moments {
public:
  explicit Moments(int width);

  void add(std::span<const float> rows);  // [any, width]

  int width() const { return width_; }
  std::int64_t count() const { return count_ + waiting(); }
  std::vector<double> mean() const;        // [width]; zeros where nothing was added
  std::vector<double> covariance() const;  // [width, width], over count - 1; zeros of fewer than two rows

private:
  struct Sums {
    std::vector<double> mean, squares;  // [width]; [width, width], the lower triangle
  };

  std::int64_t waiting() const;
  void join_block();
  Moments joined() const;

  int width_;
  std::int64_t count_ = 0;     // rows in sums_
  Sums sums_;                  // squares: of deviations from the mean
  std::vector<double> block_;  // rows that are not in sums_ yet
};

}  // namespace duel
