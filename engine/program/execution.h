// A program made ready to run: planned, with every operator prepared, and each node's arrays looked up once.
#pragma once

#include "engine/program/lanes.h"
#include "engine/program/memory_plan.h"
#include "engine/program/program.h"

#include <functional>
#include <vector>

namespace duel {

class Execution {
public:
  // Plans for lanes as requested, and prepares the operators on the context's device. Errors of an operator name the
  // node.
  Execution(Context& context, Program program, const LaneRequest& request = {});

  const Program& program() const { return program_; }
  const LanePlan& lanes() const { return lanes_; }
  const MemoryPlan& plan() const { return plan_; }

  // The arena: plan().arena_bytes of device memory, which several programs may share that never run at once.
  void attach(void* arena);

  // Runs every node in order, one behind the other. `after`, where given, is called with each node's number once it was
  // queued.
  void run(Context& context, const std::function<void(std::size_t)>& after = {}) const;

  // Runs every node on the lane that was planned for it, beginning and ending on lane 0: the same bytes.
  void run_on_lanes(Context& context) const;

  void run_node(Context& context, std::size_t index) const;

  // Where a kept or bound value lies, after attach().
  View view(Value value) const;

private:
  struct Call {
    std::vector<View> inputs, outputs;
  };
  Program program_;
  LanePlan lanes_;
  MemoryPlan plan_;
  std::byte* arena_ = nullptr;
  std::vector<Call> calls_;
};

}  // namespace duel
