// The presets as they are built into the program: the files host/config/presets/NAME.toml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct PresetFile {
  std::string_view name;
  std::string_view text;  // TOML
};

const std::vector<PresetFile>& preset_files();  // by name
std::vector<std::string_view> preset_names();

// The comment that a preset begins with, as one line: what it is good for.
std::string preset_description(std::string_view text);

}  // namespace duel
