#include "engine/program/attributes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

namespace duel {

namespace {

std::string text_of(const Attribute::Content& value) {
  return std::visit(
      [](const auto& content) {
        using Content = std::decay_t<decltype(content)>;
        if constexpr (std::is_same_v<Content, std::vector<std::int64_t>>) {
          return fmt::format("[{}]", fmt::join(content, ","));
        } else {
          return fmt::format("{}", content);
        }
      },
      value);
}

}  // namespace

Attribute::Attribute(std::string its_name, float number)
    : Attribute(std::move(its_name), std::stod(fmt::format("{}", number))) {}

std::string to_string(const Attributes& attributes) {
  std::string text;
  for (const Attribute& each : attributes) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", each.name, text_of(each.value));
  }
  return text;
}

}  // namespace duel
