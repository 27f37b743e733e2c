#include "host/bench/step_listing.h"

#include "host/train/memory_use.h"

namespace duel {

std::vector<ListedPhase> list_step(const Options& options, const Dataset& dataset, bool is_fused) {
  const RecordedStep step(options, dataset, is_fused);
  const auto listed = [](const char* name, const Program& program) {
    ListedPhase phase{name, list_nodes(program), {}};
    for (const ListedNode& node : phase.nodes) {
      phase.cost.flops += node.cost.flops;
      phase.cost.bytes += node.cost.bytes;
    }
    return phase;
  };
  return {listed("d_main", step.phases().discriminator), listed("g_main", step.phases().generator)};
}

}  // namespace duel
