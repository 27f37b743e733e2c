// The classifier that a run is to look at its pictures by (host/recipes/perceptual_distance.h), before it begins.
#pragma once

#include "host/config/options.h"

namespace duel {

// Describes in options.perceptual the network of options.perceptual.run, if one is named: from then on the options do
// without that run. Throws kind `data` where it cannot be read, `usage` where it is no run of recipe classify.
void describe_perceptual_run(Options& options);

}  // namespace duel
