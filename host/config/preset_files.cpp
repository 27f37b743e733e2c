#include "host/config/preset_files.h"

#include <algorithm>

namespace duel {

namespace {

// Takes the first line off, and its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const PresetFile& file : preset_files()) {
    names.push_back(file.name);
  }
  return names;
}

std::string preset_description(std::string_view text) {
  std::string description;
  while (text.starts_with('#')) {
    std::string_view line = take_line(text);
    line.remove_prefix(std::min(line.size(), line.find_first_not_of("# ")));
    description += description.empty() || line.empty() ? "" : " ";
    description += line;
  }
  return description;
}

}  // namespace duel
