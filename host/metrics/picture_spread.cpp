#include "host/metrics/picture_spread.h"

#include "kernels/check.h"

#include <cmath>

namespace duel {

PictureSpread::PictureSpread(std::size_t pixels, std::size_t classes) : sums_(classes) {
  for (Sums& sums : sums_) {
    sums.values.resize(pixels);
    sums.squares.resize(pixels);
  }
}

void PictureSpread::add(std::span<const std::uint8_t> picture, std::size_t label) {
  check(label < sums_.size() && picture.size() == sums_[label].values.size(),
        "picture spread: {} pixels of class {}, where {} classes are counted", picture.size(), label, sums_.size());
  Sums& sums = sums_[label];
  ++sums.count;
  for (std::size_t i = 0; i < picture.size(); ++i) {
    sums.values[i] += picture[i];
    sums.squares[i] += std::uint64_t{picture[i]} * picture[i];
  }
}

double PictureSpread::spread(const Sums& sums) {
  if (sums.count < 2) {
    return 0;
  }
  const auto n = static_cast<double>(sums.count);
  double variance = 0;
  for (std::size_t i = 0; i < sums.values.size(); ++i) {
    const double mean = static_cast<double>(sums.values[i]) / n;
    variance += static_cast<double>(sums.squares[i]) / n - mean * mean;
  }
  return std::sqrt(std::max(variance, 0.0));
}

double PictureSpread::within(std::size_t label) const {
  return spread(sums_[label]);
}

double PictureSpread::over_all() const {
  Sums all;
  all.values.resize(sums_[0].values.size());
  all.squares.resize(all.values.size());
  for (const Sums& sums : sums_) {
    all.count += sums.count;
    for (std::size_t i = 0; i < all.values.size(); ++i) {
      all.values[i] += sums.values[i];
      all.squares[i] += sums.squares[i];
    }
  }
  return spread(all);
}

}  // namespace duel
