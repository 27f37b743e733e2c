// What devices are called in options.
#pragma once

#include <optional>
#include <string_view>

namespace duel {

// The number in "cuda" (0) and "cuda:N", N from 0 to 99; none for any other text.
std::optional<int> cuda_number(std::string_view device);

}  // namespace duel
