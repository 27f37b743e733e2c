// Where each array of a program lies: lifetimes to offsets in one arena, so that the peak is known before anything is
// allocated.
//
// An array lives from the node that writes it to the last that reads it (to the end, where it is kept). Pointwise nodes
// write over an input that dies there. Blocks are placed largest first at the lowest offset that no overlapping
// lifetime holds: the greedy-by-size strategy of Pisarchyk & Lee, "Efficient memory management for deep neural net
// inference" (2020).
//
// On several lanes "to the last" is a matter of the order that their plan makes sure of: of two arrays that share
// memory, all nodes that use the one are done before the other is written. What is planned for several lanes holds for
// one, too.
#pragma once

#include "engine/program/lanes.h"
#include "engine/program/program.h"

#include <cstddef>
#include <vector>

namespace duel {

struct MemoryPlan {
  static constexpr std::size_t kAlignment = 64;

  std::size_t arena_bytes = 0;
  std::size_t unshared_bytes = 0;            // what it would take if no two arrays shared memory
  std::vector<std::int64_t> offset_of_root;  // by value id; -1: not in the arena
};

MemoryPlan plan_memory(const Program& program, const LanePlan& lanes);

}  // namespace duel
