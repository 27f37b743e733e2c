// A program made ready to run: planned, with every operator prepared, and each node's arrays looked up once.
#pragma once

#include "engine/planner.h"
#include "engine/program.h"

#include <functional>
#include <vector>

namespace duel {

class Execution {
public:
  // Plans, and prepares the operators on the context's device. Errors of an operator name the node.
  Execution(Context& context, Program program);

  const Program& program() const { return program_; }
  const MemoryPlan& plan() const { return plan_; }

  // The arena: plan().arena_bytes of device memory, which several programs may share that never run at once.
  void attach(void* arena);

  // Runs every node in order. `after`, where given, is called with each node's number once it was queued.
  void run(Context& context, const std::function<void(std::size_t)>& after = {}) const;

  void run_node(Context& context, std::size_t index) const;

  // Where a kept or bound value lies, after attach().
  View view(Value value) const;

private:
  struct Call {
    std::vector<View> inputs, outputs;
  };
  Program program_;
  MemoryPlan plan_;
  std::byte* arena_ = nullptr;
  std::vector<Call> calls_;
};

}  // namespace duel
