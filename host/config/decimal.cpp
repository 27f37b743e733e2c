#include "host/config/decimal.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <system_error>

namespace duel {

namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

// Without underscores that stand between two digits. Others stay, and no number is read from them.
std::string without_separators(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separates =
        text[i] == '_' && i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (!separates) {
      plain += text[i];
    }
  }
  return plain;
}

template <class T>
std::optional<T> whole(const std::string& text) {
  T value{};
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || rest != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

}  // namespace

template <class T>
std::optional<T> decimal_integer(std::string_view text) {
  return whole<T>(without_separators(text));
}

template std::optional<int> decimal_integer<int>(std::string_view);
template std::optional<std::int64_t> decimal_integer<std::int64_t>(std::string_view);
template std::optional<std::uint64_t> decimal_integer<std::uint64_t>(std::string_view);

std::optional<double> decimal_real(std::string_view text) {
  const std::optional<double> value = whole<double>(without_separators(text));
  return value && std::isfinite(*value) ? value : std::nullopt;  // std::from_chars also reads "inf" and "nan"
}

std::optional<std::vector<int>> decimal_list(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return std::nullopt;
  }
  std::vector<int> values;
  std::string_view rest = trimmed(text.substr(1, text.size() - 2));
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::optional<int> value = decimal_integer<int>(trimmed(rest.substr(0, comma)));
    if (!value) {
      return std::nullopt;
    }
    values.push_back(*value);
    rest = comma == std::string_view::npos ? std::string_view() : trimmed(rest.substr(comma + 1));  // "[64,]" is TOML's
  }
  return values;
}

}  // namespace duel
