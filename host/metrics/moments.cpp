#include "host/metrics/moments.h"

#include "host/metrics/linear_algebra.h"
#include "kernels/check.h"

#include <algorithm>

namespace duel {

namespace {

constexpr std::int64_t kRowsAtOnce = 1024;  // rows

}  // namespace

Moments::Moments(int width) : width_(width) {
  check(width > 0, "moments: rows of {} numbers have none", width);
  sums_.mean.resize(static_cast<std::size_t>(width));
  sums_.squares.resize(sums_.mean.size() * sums_.mean.size());
}

std::int64_t Moments::waiting() const {
  return std::ssize(block_) / width_;
}

void Moments::add(std::span<const float> rows) {
  check(std::ssize(rows) % width_ == 0, "moments: {} numbers are no rows of {}", rows.size(), width_);
  const auto width = static_cast<std::size_t>(width_);
  for (std::size_t first = 0; first < rows.size(); first += width) {
    block_.insert(block_.end(), rows.begin() + static_cast<std::ptrdiff_t>(first),
                  rows.begin() + static_cast<std::ptrdiff_t>(first + width));
    if (waiting() == kRowsAtOnce) {
      join_block();
    }
  }
}

void Moments::join_block() {
  const std::int64_t count = waiting();
  if (count == 0) {
    return;
  }
  const auto width = static_cast<std::size_t>(width_);
  std::vector<double> mean(width);
  for (std::size_t i = 0; i < block_.size(); ++i) {
    mean[i % width] += block_[i] / static_cast<double>(count);
  }
  for (std::size_t i = 0; i < block_.size(); ++i) {
    block_[i] -= mean[i % width];
  }
  add_lower_gram(block_.data(), count, width_, sums_.squares.data());
  const auto old = static_cast<double>(count_), added = static_cast<double>(count);
  const double weight = old * added / (old + added);
  for (std::size_t i = 0; i < width; ++i) {
    mean[i] -= sums_.mean[i];  // from here on the difference
  }
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      sums_.squares[i * width + j] += weight * mean[i] * mean[j];
    }
    sums_.mean[i] += mean[i] * added / (old + added);
  }
  count_ += count;
  block_.clear();
}

Moments Moments::joined() const {
  Moments all = *this;
  all.join_block();
  return all;
}

std::vector<double> Moments::mean() const {
  return joined().sums_.mean;
}

std::vector<double> Moments::covariance() const {
  const Moments all = joined();
  const auto width = static_cast<std::size_t>(width_);
  std::vector<double> covariance(width * width);
  for (std::size_t i = 0; i < width && all.count_ > 1; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double value = all.sums_.squares[i * width + j] / static_cast<double>(all.count_ - 1);
      covariance[i * width + j] = covariance[j * width + i] = value;
    }
  }
  return covariance;
}

}  // namespace duel
