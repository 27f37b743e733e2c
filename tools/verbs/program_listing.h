// `duel info --program`: a recorded step, printed node by node.
#pragma once

#include "host/bench/step_listing.h"

#include <vector>

namespace duel {

void print_listing(const std::vector<ListedPhase>& phases);
void print_listing_json(const std::vector<ListedPhase>& phases);

}  // namespace duel
