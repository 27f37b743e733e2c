// Which nodes of a program must come after which, whatever runs them.
//
// A node depends on an earlier one where either writes what the other reads or writes: an array of the program, behind
// reshapes, or memory outside it. The latter is compared by storage and bytes: gradients are written one by one and
// then read as one block, and Adam writes the block of weights of which others read their parts. Two storages are two
// pieces of memory.
#pragma once

#include "engine/program/program.h"

#include <cstdint>
#include <vector>

namespace duel {

// For each node, the earlier nodes that it depends on, in rising order. A node is compared with those alone that use
// the same bytes or array, so what it takes follows the number of dependencies. `comparisons`, where given: how many.
std::vector<std::vector<int>> find_dependencies(const Program& program, std::int64_t* comparisons = nullptr);

}  // namespace duel
