#include "host/recipes/recorded_step.h"

#include <numeric>

namespace duel {

int RecordedStep::cycle() const {
  return std::accumulate(phases.begin(), phases.end(), 1,
                         [](int all, const RecordedPhase& phase) { return std::lcm(all, phase.every); });
}

}  // namespace duel
