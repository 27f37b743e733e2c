// How alike two words are, for naming what a person may have meant.
#pragma once

#include <string_view>

namespace duel {

// Levenshtein (1966): the least number of letters put in, left out or replaced.
int edit_distance(std::string_view a, std::string_view b);

}  // namespace duel
