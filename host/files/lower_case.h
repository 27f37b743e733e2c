// Names of files, classes and devices are compared without regard to case.
#pragma once

#include <string>
#include <string_view>

namespace duel {

// The letters A to Z of ASCII become small; other bytes, those of UTF-8 too, stay as they are.
std::string in_lower_case(std::string_view text);

}  // namespace duel
