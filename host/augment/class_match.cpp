#include "host/augment/class_match.h"

#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace duel {

Options options_of_data(const ClassGenerator& generator, const std::string& source) {
  std::vector<Setting> settings;
  if (!source.empty()) {
    settings.push_back({"--data", "data.source", source});
  }
  return resolve_options("", generator.config_file(), settings);
}

std::vector<std::size_t> numbers_of_classes(const Source& data, const std::vector<std::string>& of_run,
                                            const std::string& run) {
  if (!has_field(data, "label")) {
    throw_error(Error::Kind::usage, "{}: has no labels, so its classes cannot be counted", data.name());
  }
  const std::vector<std::string>& names = field_named(data, "label").names;
  std::vector<std::size_t> numbers;
  for (const std::string& name : names) {
    const auto found = std::find(of_run.begin(), of_run.end(), name);
    if (found == of_run.end()) {
      throw_error(Error::Kind::usage, "{}: draws no pictures of the class {} of {} (it draws {})", run, name,
                  data.name(), fmt::join(of_run, ", "));
    }
    numbers.push_back(static_cast<std::size_t>(found - of_run.begin()));
  }
  if (numbers.size() != of_run.size()) {
    throw_error(Error::Kind::usage, "{}: draws {} classes ({}), but {} has {} of them ({})", run, of_run.size(),
                fmt::join(of_run, ", "), data.name(), names.size(), fmt::join(names, ", "));
  }
  return numbers;
}

}  // namespace duel
