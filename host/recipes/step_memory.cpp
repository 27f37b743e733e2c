#include "host/recipes/step_memory.h"

#include "kernels/range.h"

#include <algorithm>
#include <utility>

namespace duel {

StepMemory::StepMemory(Context& context, RecordedStep step, const Networks& networks, const Storage& more,
                       int ring_rows, const LaneRequest& lanes)
    : metrics_(std::move(step.metrics)),
      phase_of_metric_(std::move(step.phase_of_metric)),
      cycle_(step.cycle()),
      ring_rows_(ring_rows),
      counter_(context, sizeof(std::int64_t)),
      ring_(context, static_cast<std::size_t>(ring_rows) * metrics_.size() * sizeof(float)),
      state_(context, step.state),
      storage_(more) {
  std::size_t arena_bytes = 0;
  for (RecordedPhase& phase : step.phases) {
    Program program = std::move(phase.program);
    phases_.push_back({std::move(phase), Execution(context, std::move(program), lanes)});
    arena_bytes = std::max(arena_bytes, phases_.back().execution.plan().arena_bytes);
  }
  arena_ = Buffer(context, arena_bytes);
  counter_.clear();
  ring_.clear();
  state_.initialize(context);
  storage_.add("step", this->step());
  storage_.add("metrics", metric_rows());
  networks.add_to(storage_);
  state_.add_to(storage_);
  for (StepPhase& phase : phases_) {
    phase.execution.attach(arena_.data(), storage_);
  }
}

bool StepMemory::has_metric(std::int64_t step, std::size_t metric) const {
  return phases_[static_cast<std::size_t>(phase_of_metric_[metric])].recorded.runs_at(step);
}

void StepMemory::run(Context& context, int place, bool on_lanes) const {
  for (const StepPhase& phase : phases_) {
    if (phase.recorded.runs_at(place)) {
      const Range range(phase.recorded.name.c_str());
      on_lanes ? phase.execution.run_on_lanes(context) : phase.execution.run(context);
    }
  }
}

View StepMemory::metric_rows() const {
  return ring_.view({ring_rows_, static_cast<int>(metrics_.size())}, DType::f32);
}

std::size_t StepMemory::unshared_bytes() const {
  std::size_t bytes = 0;
  for (const StepPhase& phase : phases_) {
    bytes = std::max(bytes, phase.execution.plan().unshared_bytes);
  }
  return bytes;
}

}  // namespace duel
