#include "host/recipes/record_step.h"

#include "engine/rewrite/fuse.h"
#include "engine/rewrite/proportional_gradients.h"
#include "engine/rewrite/small_nodes.h"
#include "host/recipes/step_recorder.h"
#include "kernels/check.h"

#include <algorithm>

namespace duel {

namespace {

void check_recorded(const Recipe& recipe, const RecordedStep& step) {
  for (std::size_t i = 0; i < step.metrics.size(); ++i) {
    check(step.phase_of_metric[i] >= 0, "recipe {}: no phase stores its metric {}", recipe.name(), step.metrics[i]);
  }
  std::vector<DrawnField> used;
  for (const RecordedPhase& phase : step.phases) {
    used.insert(used.end(), phase.batches.begin(), phase.batches.end());
    check(phase.updates.empty() == phase.loss.empty(),
          "recipe {}: the phase {} updates {} networks with the loss \"{}\"", recipe.name(), phase.name,
          phase.updates.size(), phase.loss);
  }
  for (const DrawnField& wanted : recipe.batches()) {
    check(std::find(used.begin(), used.end(), wanted) != used.end(), "recipe {}: no phase reads {}/{} of its draw {}",
          recipe.name(), wanted.source, wanted.field, wanted.draw);
  }
}

}  // namespace

RecordedStep record_step(const Recipe& recipe, const Networks& networks, const StepSettings& settings) {
  RecordedStep step;
  step.metrics = recipe.metrics();
  step.phase_of_metric.assign(step.metrics.size(), -1);
  const std::vector<Phase> phases = recipe.phases();
  check(!phases.empty() && phases.back().every == 1,
        "recipe {}: its last phase must run at every step, which it counts", recipe.name());
  for (const Phase& phase : phases) {
    RecordedPhase& recorded = step.phases.emplace_back();
    recorded.name = phase.name;
    recorded.every = phase.every;
    recorded.updates = phase.updates;
    StepRecorder recorder(networks, settings, phases, step);
    const Program::Scope scope(recorded.program, phase.name);
    phase.record(recorder);
    recorder.finish(&phase == &phases.back());
  }
  check_recorded(recipe, step);
  for (RecordedPhase& phase : step.phases) {
    if (settings.is_fused) {
      share_proportional_gradients(phase.program);
      fuse(phase.program);
      group_small_nodes(phase.program);
    } else {
      phase.program.prune();
    }
  }
  return step;
}

}  // namespace duel
