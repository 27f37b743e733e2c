// Options that belong together, by name.
#pragma once

#include "host/config/options.h"

#include <string>
#include <string_view>
#include <vector>

namespace duel {

// "classic" and "steady". Throws for another name, naming those there are.
Options preset(std::string_view name);
const std::vector<std::string>& preset_names();

}  // namespace duel
