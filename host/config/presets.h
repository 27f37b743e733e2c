// Options that belong together, by name.
#pragma once

#include "host/config/options.h"
#include "host/config/preset_files.h"

#include <string_view>

namespace duel {

// Of a preset that is built in. Throws kind `usage` for another name, naming those there are.
Options preset(std::string_view name);

}  // namespace duel
