// The kernel distance of two sets of features, unbiased whatever their number: KID, where the features are those of
// Inception. Binkowski et al., "Demystifying MMD GANs", 2018, section 4: the squared maximum mean discrepancy
//
//   sum_{i != j} k(a_i, a_j) / (m (m - 1)) + sum_{i != j} k(b_i, b_j) / (n (n - 1)) - 2 sum_{i, j} k(a_i, b_j) / (m n)
//
// with the kernel k(x, y) = (x.y / width + 1)^3. It may be a little below zero where the sets are alike.
#pragma once

#include "host/metrics/features.h"

#include <cstdint>

namespace duel {

struct KernelDistance {
  double value = 0;                      // of all rows
  double spread = 0;                     // standard deviation over subsets
  std::int64_t subset = 0, subsets = 0;  // rows of each set in a subset; 0 where there are too few for any
};

inline constexpr std::int64_t kKernelSubsets = 50;
inline constexpr std::int64_t kKernelSubset = 1000;

// Each set has two rows or more. The subsets are of half of the smaller set's rows, at most kKernelSubset, drawn
// without replacement by a seed that never changes: of all rows there would be but one. `threads` 0: all.
KernelDistance kernel_distance(const Features& a, const Features& b, int threads = 0);

}  // namespace duel
