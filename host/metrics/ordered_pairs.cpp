#include "host/metrics/ordered_pairs.h"

#include "kernels/check.h"

#include <algorithm>
#include <vector>

namespace duel {

double ordered_share(std::span<const float> high, std::span<const float> low) {
  check(!high.empty() && !low.empty(), "ordered_share: of {} and {} numbers", high.size(), low.size());
  std::vector<float> sorted(low.begin(), low.end());
  std::sort(sorted.begin(), sorted.end());
  double below = 0;
  for (const float value : high) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    below += static_cast<double>(first - sorted.begin()) + 0.5 * static_cast<double>(last - first);
  }
  return below / (static_cast<double>(high.size()) * static_cast<double>(low.size()));
}

}  // namespace duel
