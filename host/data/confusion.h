// Which classes are taken for which: how often a row of each class was called each class.
#pragma once

#include "host/data/source.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct Confusion {
  std::vector<std::string> names;
  std::vector<std::vector<std::int64_t>> counts;  // [true class][called class]

  std::int64_t rows_of(std::size_t label) const;
  double accuracy() const;                        // over all rows; 0 where there are none
  double accuracy_of(std::size_t label) const;    // over the class's rows, its recall; 0 where there are none
  double precision_of(std::size_t called) const;  // the share of what is called so that is; 0 where nothing is
  double f1_of(std::size_t label) const;          // the harmonic mean of these two; 0 where nothing is right
};

// The place of the largest number, of equal ones the first: the class of a row of probabilities.
std::size_t largest(std::span<const float> row);

// Of a source's label, an index, and for each of its rows a number for each class, of which the largest is called.
Confusion confusion_of(const Source& source, const std::string& label, std::span<const float> probabilities);

// As a table: a line for each class, with its recall and precision behind it.
std::string to_text(const Confusion& confusion);

}  // namespace duel
