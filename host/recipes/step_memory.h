// A recorded step on a device: its executions, and all memory that they read and write but the rows of the data.
#pragma once

#include "engine/program/execution.h"
#include "engine/program/storage.h"
#include "host/recipes/recorded_step.h"
#include "host/recipes/state_memory.h"
#include "kernels/memory.h"

#include <cstddef>
#include <string>
#include <vector>

namespace duel {

// A phase as it is run.
struct StepPhase {
  RecordedPhase recorded;  // its program has become the execution
  Execution execution;
};

class StepMemory {
public:
  // The networks are allocated. `more` is storage of others: the rows of the data, given draws.
  StepMemory(Context& context, RecordedStep step, const Networks& networks, const Storage& more, int ring_rows,
             const LaneRequest& lanes = {});

  const std::vector<StepPhase>& phases() const { return phases_; }
  const std::vector<std::string>& metrics() const { return metrics_; }
  bool has_metric(std::int64_t step, std::size_t metric) const;  // whether the phase that stores it runs at `step`
  int cycle() const { return cycle_; }

  // Runs the phases of a step at this place of the cycle.
  void run(Context& context, int place, bool on_lanes) const;

  View step() const { return counter_.view({1}, DType::i64); }
  View metric_rows() const;  // f32 [ring_rows, metrics]
  const StateMemory& state() const { return state_; }
  const Storage& storage() const { return storage_; }

  std::size_t arena_bytes() const { return arena_.bytes(); }
  std::size_t unshared_bytes() const;  // that the arena would have if no arrays shared memory

private:
  std::vector<std::string> metrics_;
  std::vector<int> phase_of_metric_;
  int cycle_, ring_rows_;
  Buffer counter_, ring_;
  StateMemory state_;
  Storage storage_;
  std::vector<StepPhase> phases_;
  Buffer arena_;
};

}  // namespace duel
