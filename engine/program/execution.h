// A program made ready to run: planned, with every operator prepared, and each node's arrays looked up once.
#pragma once

#include "engine/program/lanes.h"
#include "engine/program/memory_plan.h"
#include "engine/program/program.h"
#include "engine/program/storage.h"

#include <functional>
#include <vector>

namespace duel {

class Execution {
public:
  // Plans for lanes as requested, and prepares the operators on the context's device, on arrays without data. Errors of
  // an operator name the node.
  Execution(Context& context, Program program, const LaneRequest& request = {});

  const Program& program() const { return program_; }
  const LanePlan& lanes() const { return lanes_; }
  const MemoryPlan& plan() const { return plan_; }

  // To be done before a run. The arena: plan().arena_bytes of device memory, which several programs may share that
  // never run at once. Every bound value is looked up in `storage`; throws kind `internal` naming what is missing
  // there, or is too small for what is bound in it.
  void attach(void* arena, const Storage& storage);

  // Runs every node in order, one behind the other. `after`, where given, is called with each node's number once it was
  // queued.
  void run(Context& context, const std::function<void(std::size_t)>& after = {}) const;

  // Runs every node on the lane that was planned for it, beginning and ending on lane 0: the same bytes.
  void run_on_lanes(Context& context) const;

  void run_node(Context& context, std::size_t index) const;

  // Where a kept or bound value lies; without data before attach().
  View view(Value value) const;

private:
  void find_calls();

  struct Call {
    std::vector<View> inputs, outputs;
  };
  Program program_;
  LanePlan lanes_;
  MemoryPlan plan_;
  std::vector<void*> data_of_root_;  // by value id; empty: not attached
  std::vector<Call> calls_;
};

}  // namespace duel
