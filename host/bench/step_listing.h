// A training step as it is recorded, node by node.
#pragma once

#include "engine/program/listing.h"
#include "host/config/options.h"
#include "host/data/source.h"
#include "kernels/cost.h"

#include <string>
#include <vector>

namespace duel {

struct ListedPhase {
  std::string name;  // "d_main"
  std::vector<ListedNode> nodes;
  Cost cost;  // their sum
};

// Nothing is allocated or run. `is_fused` false: as it was recorded, before the rewrites of engine/rewrite.
std::vector<ListedPhase> list_step(const Options& options, const Data& data, bool is_fused);

}  // namespace duel
