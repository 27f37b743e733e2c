// What a classifier's probabilities say of a set of pictures: rows [count, classes], each of sum 1.
#pragma once

#include "host/metrics/features.h"

#include <cstdint>
#include <span>
#include <vector>

namespace duel {

// exp(mean over rows of KL(row | mean row)): 1 where every row is alike, the number of classes where each is sure and
// all come equally often. Salimans et al., "Improved techniques for training GANs", 2016, section 4, called the
// Inception score where Inception is the classifier. All rows are taken at once.
double class_score(const Features& probabilities);

// How often each class is the most probable one.
std::vector<std::int64_t> called_counts(const Features& probabilities);

// How far the classes that are called are from how often they should be: sum p ln(p / q) with the shares p of `called`
// and q of `real`, Srivastava et al., "VEEGAN", 2017, section 4.1. Half a picture is added to each count, so that a
// class that is not among the real ones does not make it infinite.
double mode_divergence(std::span<const std::int64_t> called, std::span<const std::int64_t> real);

}  // namespace duel
