#include "host/recipes/fields.h"

#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace duel {

const Field& field_of(const Fields& fields, const std::string& source, std::string_view field,
                      std::string_view recipe) {
  const auto found = fields.find(source);
  if (found == fields.end()) {
    std::vector<std::string> names;
    for (const auto& [name, its] : fields) {
      names.push_back(name);
    }
    throw_error(Error::Kind::usage, "recipe {}: needs the field {} of a source {}, but there are only the sources {}",
                recipe, field, source, fmt::join(names, ", "));
  }
  const auto named =
      std::find_if(found->second.begin(), found->second.end(), [&](const Field& each) { return each.name == field; });
  if (named == found->second.end()) {
    std::vector<std::string> names;
    for (const Field& each : found->second) {
      names.push_back(each.name);
    }
    throw_error(Error::Kind::usage, "recipe {}: needs the field {} of the source {}, which has only {}", recipe, field,
                source, fmt::join(names, ", "));
  }
  return *named;
}

}  // namespace duel
