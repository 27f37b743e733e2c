// An operator's parameters by name, as they are printed and written down.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace duel {

struct Attribute {
  using Content = std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<std::int64_t>>;

  Attribute(std::string its_name, Content content) : name(std::move(its_name)), value(std::move(content)) {}
  Attribute(std::string its_name, bool flag) : Attribute(std::move(its_name), Content(flag)) {}
  Attribute(std::string its_name, int number) : Attribute(std::move(its_name), Content(std::int64_t{number})) {}
  Attribute(std::string its_name, std::int64_t number) : Attribute(std::move(its_name), Content(number)) {}
  Attribute(std::string its_name, std::uint64_t number) : Attribute(std::move(its_name), Content(number)) {}
  Attribute(std::string its_name, double number) : Attribute(std::move(its_name), Content(number)) {}
  Attribute(std::string its_name, float number);  // as the shortest decimal that is this float
  Attribute(std::string its_name, std::string text) : Attribute(std::move(its_name), Content(std::move(text))) {}
  Attribute(std::string its_name, const char* text) : Attribute(std::move(its_name), Content(std::string(text))) {}
  Attribute(std::string its_name, const std::vector<int>& numbers)
      : Attribute(std::move(its_name), Content(std::vector<std::int64_t>(numbers.begin(), numbers.end()))) {}

  std::string name;  // "stride"
  Content value;
};

using Attributes = std::vector<Attribute>;

std::string to_string(const Attributes& attributes);  // "stride 2, pad [1,1,1,1], activation relu"

}  // namespace duel
