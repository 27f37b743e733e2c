// Options that a recipe has no use for, so that nobody changes one of them for nothing without being told.
#pragma once

#include "host/config/options.h"

#include <string>
#include <string_view>

namespace duel {

// Whether the recipe that the options name, with the networks that they name, reads the key.
bool reads_key(const Options& options, std::string_view key);

// A sentence on the keys that differ from the preset's and are not read, or "" where there are none.
std::string unread_changes(const Options& options);

}  // namespace duel
