// How much of what was generated lies where real pictures are, and how much of the real ones is reached: four shares,
// by balls around each row that reach to its k-th nearest neighbour in its own set.
//
//   precision  share of generated rows in a ball of a real row, recall the share of real rows in a ball of a generated
//              one: Kynkäänniemi et al., "Improved precision and recall metric", 2019, eq. 1 and 2, k = 3
//   density    balls of real rows that a generated row lies in, over k: above 1 where they crowd; coverage the share of
//              real rows whose ball holds a generated one: Naeem et al., "Reliable fidelity and diversity metrics for
//              generative models", 2020, eq. 3 and 4, k = 5
//
// A row on the ball's surface is in it. They depend on the numbers of rows: compare what was measured on equally many.
#pragma once

#include "host/metrics/features.h"

namespace duel {

struct PrecisionRecall {
  double precision = 0, recall = 0, density = 0, coverage = 0;
};

inline constexpr int kPrecisionNeighbour = 3, kDensityNeighbour = 5;
inline constexpr int kLeastRowsOfPrecision = kDensityNeighbour + 1;

// Each set has kLeastRowsOfPrecision rows or more. Memory: both in double, and a block of distances a thread; `threads`
// 0: all that there are.
PrecisionRecall precision_recall(const Features& real, const Features& generated, int threads = 0);

}  // namespace duel
