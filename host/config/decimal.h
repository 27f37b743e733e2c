// Numbers as a person types them: the one reading of them, for the command line, --set and TOML files alike.
//
// Decimal digits, with leading zeros if one likes (000000040 is forty) and single underscores between digits
// (1_000_000). No other base, no plus sign, no spaces, nothing behind the number: those are no numbers, and what has
// none of its type's values is none either.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace duel {

// int, std::int64_t or std::uint64_t. A minus sign may come first.
template <class T>
std::optional<T> decimal_integer(std::string_view text);

// The same with a fraction and an exponent, if there are any: 2, -0.5, 1e-4. Always finite.
std::optional<double> decimal_real(std::string_view text);

// "[64, 128]", "[]": integers between brackets, spaces around them.
std::optional<std::vector<int>> decimal_list(std::string_view text);

}  // namespace duel
