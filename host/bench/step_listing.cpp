#include "host/bench/step_listing.h"

#include "host/train/training_plan.h"

namespace duel {

std::vector<ListedPhase> list_step(const Options& options, const Data& data, bool is_fused) {
  const TrainingPlan plan =
      plan_training(options, data, options.schedule.residency == "stream", 1, {.is_fused = is_fused});
  std::vector<ListedPhase> phases;
  for (const RecordedPhase& recorded : plan.step.phases) {
    ListedPhase& phase = phases.emplace_back(ListedPhase{recorded.name, list_nodes(recorded.program), {}});
    for (const ListedNode& node : phase.nodes) {
      phase.cost.flops += node.cost.flops;
      phase.cost.bytes += node.cost.bytes;
    }
  }
  return phases;
}

}  // namespace duel
