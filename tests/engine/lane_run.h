// A program planned for several lanes, on a CPU that plays the device: it runs the nodes one after another, but in any
// order that the lanes and the marks between them allow, chosen by a seed.
#pragma once

#include "engine/program/lanes.h"
#include "engine/program/memory_plan.h"
#include "engine/program/program.h"
#include "engine/program/storage.h"
#include "kernels/memory.h"

#include <cstdint>
#include <vector>

namespace duel::test {

class LaneRun {
public:
  LaneRun(Context& context, Program program, const LaneRequest& request, Storage storage);

  const Program& program() const { return program_; }
  const MemoryPlan& memory() const { return memory_; }
  LanePlan& lanes() { return lanes_; }  // to take a wait away, say

  // The numbers of the nodes in such an order.
  std::vector<int> draw_order(std::uint64_t seed) const;
  void run(std::uint64_t seed);
  View view(Value value) const;  // after a run, of a kept or bound value

private:
  Context& context_;
  Program program_;
  Storage storage_;
  LanePlan lanes_;
  MemoryPlan memory_;
  Buffer arena_;
};

// Whether the node `earlier` is done when `later` begins, by the lanes and their marks alone.
bool is_before(const LanePlan& plan, int earlier, int later);

}  // namespace duel::test
