#include "host/launch_tuner.h"

#include <algorithm>

namespace duel {

LaunchTuner::LaunchTuner(int most) {
  for (int steps = 1; steps <= most; steps *= 2) {
    trials_.push_back({steps, 0});
  }
}

int LaunchTuner::steps_to_time() const {
  return std::max(32, 4 * candidate());
}

void LaunchTuner::record(double seconds_per_step) {
  trials_[next_++].seconds_per_step = seconds_per_step;
}

int LaunchTuner::best() const {
  const auto end = trials_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto quickest = std::min_element(
      trials_.begin(), end, [](const Trial& a, const Trial& b) { return a.seconds_per_step < b.seconds_per_step; });
  const auto found = std::find_if(trials_.begin(), end, [&](const Trial& trial) {
    return trial.seconds_per_step <= 1.02 * quickest->seconds_per_step;
  });
  return found == end ? 1 : found->steps_per_launch;
}

}  // namespace duel
