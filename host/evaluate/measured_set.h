// What is kept of a set of pictures once they have streamed by: sums of all, and of so many the features.
#pragma once

#include "host/evaluate/extractor.h"
#include "host/evaluate/picture_set.h"
#include "host/metrics/features.h"
#include "host/metrics/moments.h"
#include "host/metrics/picture_spread.h"
#include "host/pictures/png.h"
#include "kernels/tensor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

// More features take more time than they tell: neighbours are searched among all pairs.
inline constexpr std::int64_t kKeptFeatures = 10'000;
inline constexpr std::int64_t kKeptReduced = 2'000;  // to search training pictures for copies
inline constexpr std::int64_t kKeptExamples = 400;
inline constexpr int kReducedSide = 32;  // at most, of what copies are searched by

struct MeasuredSet {
  MeasuredSet(int width, std::size_t pixels, std::size_t classes, bool has_class_moments);

  struct Class {
    std::int64_t count = 0, agreed = 0;  // pictures of it, and those that the extractor calls so
  };

  std::int64_t count = 0;
  Moments moments;
  std::vector<Moments> class_moments;  // of each class; empty where they would take too much memory
  std::vector<Class> classes;          // of the data's; empty where they have none
  PictureSpread spread;
  Features features, probabilities;  // of the first kKeptFeatures
  Features reduced;                  // of the first kKeptReduced: append_reduced(), by kReducedSide
  std::vector<Picture> examples;     // the first kKeptExamples
  std::vector<int> example_labels;
  bool is_constant = true;  // every picture is the same
  bool has_labels = true;   // every picture has one

  double agreement() const;  // share of all pictures that the extractor calls by their class
};

struct MeasuredForm {
  Shape picture;                        // [1,H,W,C]
  std::vector<std::string> classes;     // of the data; may be none
  std::vector<int> extractor_class_of;  // for each of them the extractor's number; empty where it tells others
};
MeasuredForm measured_form(const Shape& picture, const std::vector<std::string>& classes, const ExtractorFacts& facts);

// In batches, never all pictures in memory.
MeasuredSet measure_set(PictureSet& pictures, Extractor& extractor, const MeasuredForm& form);

}  // namespace duel
