// How far pictures lie from their mean picture, within each class and over all: the root of the variances of all
// pixels, added up. A generator whose spread is far below the data's draws few pictures over and over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace duel {

class PictureSpread {
public:
  PictureSpread(std::size_t pixels, std::size_t classes);  // of a picture; 1 class or more

  void add(std::span<const std::uint8_t> picture, std::size_t label);

  double within(std::size_t label) const;  // 0 of fewer than two pictures
  double over_all() const;
  std::int64_t count(std::size_t label) const { return sums_[label].count; }

private:
  struct Sums {  // of integers, exact beyond 2^40 pictures
    std::int64_t count = 0;
    std::vector<std::uint64_t> values, squares;
  };

  static double spread(const Sums& sums);

  std::vector<Sums> sums_;  // of each class
};

}  // namespace duel
