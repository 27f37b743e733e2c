// Tables of comma-separated values, as RFC 4180 has them.
#pragma once

#include <string>

namespace duel {

// Quoted where a comma, a quote or a line break is in it.
std::string csv_field(const std::string& text);

}  // namespace duel
