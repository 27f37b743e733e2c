#include "host/report/evaluation.h"

#include "kernels/check.h"

#include <nlohmann/json.hpp>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

std::optional<double> number_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_figure(const Json& json) {
  return json.is_object() && json.contains("name") && json["name"].is_string() && json.contains("value");
}

std::string title_of(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + " / " + key;
}

// A picture beside the file or below; a report shows no other files of the machine.
bool lies_in(const std::filesystem::path& folder, const std::filesystem::path& file) {
  const std::filesystem::path way = file.lexically_normal().lexically_relative(folder.lexically_normal());
  return !way.empty() && *way.begin() != "..";
}

void collect(const Json& json, const std::string& path, const std::filesystem::path& folder, ReadEvaluation& found) {
  for (const auto& [key, value] : json.items()) {
    const std::string title = json.is_array() ? path : title_of(path, key);
    if (is_figure(value)) {
      found.figures.push_back(
          {path, text_in(value, "name"), number_in(value, "value"), number_in(value, "floor"), text_in(value, "note")});
    } else if (value.is_structured()) {
      collect(value, title, folder, found);
    } else if (json.is_object() && value.is_string() && value.get<std::string>().ends_with(".png") &&
               lies_in(folder, folder / value.get<std::string>())) {
      found.sheets.emplace_back(title, folder / value.get<std::string>());
    } else if (json.is_object() && !value.is_null()) {
      found.facts.emplace_back(title, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
}

}  // namespace

ReadEvaluation parse_evaluation(std::string_view text, const std::filesystem::path& file) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_structured()) {
    throw_error(Error::Kind::data, "{}: is not the JSON of an evaluation", file.string());
  }
  ReadEvaluation found;
  collect(json, "", file.parent_path(), found);
  return found;
}

}  // namespace duel
