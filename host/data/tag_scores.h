// How well tags are told, each by itself, over the rows of which it is known whether they have it.
//
//   average precision   sum over the distinct scores s, the greatest first, of (R(s) - R(before)) P(s), with P and R
//   the
//                       precision and recall of calling every row with a score of at least s: 1 where all that have the
//                       tag come first; about their share where scores say nothing
//   precision, recall, F1   of calling what has a probability of at least 1/2
#pragma once

#include "host/data/source.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct TagScore {
  std::string name;
  std::int64_t known = 0;  // rows
  std::int64_t has = 0;    // of these
  double average_precision = 0, precision = 0, recall = 0, f1 = 0;

  // Whether there are rows of both kinds: else the scores say nothing.
  bool is_measured() const { return has > 0 && has < known; }
};

struct TagScores {
  std::vector<TagScore> tags;

  // Over the tags that are measured; 0 where none is.
  double mean_average_precision() const;
  double mean_f1() const;
};

// Of a source's field of attributes, and for each of its rows a probability for each.
TagScores tag_scores(const Source& source, const std::string& field, std::span<const float> probabilities);

// As a table: a line for each tag.
std::string to_text(const TagScores& scores);

}  // namespace duel
