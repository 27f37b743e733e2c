// Whether probabilities mean what they say: of pictures that are called by 0.8, 8 in 10 should be called rightly.
//
// Rows are put into bins of equal width by the probability p of the class that is called, (b/M, (b+1)/M] for b = 0..M-1
// with M = kBins. The expected calibration error is the mean over the rows of |accuracy - mean p| of their bins, the
// greatest is that of the worst bin (Guo et al., "On calibration of modern neural networks", 2017, eq. 3 and 5).
#pragma once

#include "host/data/source.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace duel {

struct Calibration {
  static constexpr int kBins = 15;
  struct Bin {
    std::int64_t rows = 0, right = 0;
    double confidence = 0;  // the sum of p

    double gap() const;  // |accuracy - mean p|; 0 where there are no rows
  };
  std::array<Bin, kBins> bins;

  std::int64_t rows() const;
  double accuracy() const;  // over all rows, and the mean p: 0 where there are none
  double confidence() const;
  double expected_error() const;
  double greatest_error() const;
};

// Of a source's label and for each of its rows the probability of each class.
Calibration calibration_of(const Source& source, const std::string& label, std::span<const float> probabilities);

// In a sentence: whether they promise too much or too little.
std::string to_text(const Calibration& calibration);

}  // namespace duel
