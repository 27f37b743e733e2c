// What the configuration can say and training cannot do.
#pragma once

#include "host/config/options.h"

namespace duel {

// Throws kind `usage` where the options ask for such a thing, naming the key and its value. To be called before a step
// is recorded.
void refuse_not_yet(const Options& options);

}  // namespace duel
