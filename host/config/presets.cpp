#include "host/config/presets.h"

#include "host/config/option_keys.h"
#include "host/config/toml_table.h"
#include "kernels/check.h"

#include <algorithm>
#include <string>
#include <vector>

namespace duel {

Options preset(std::string_view name) {
  const std::vector<PresetFile>& files = preset_files();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const PresetFile& file) { return file.name == name; });
  if (found == files.end()) {
    throw_error(Error::Kind::usage, "preset = {} must be {}", toml_quoted(name),
                allowed_values(*find_option_key("preset")));
  }
  const std::string origin = std::string(name) + ".toml";
  const TomlText text{origin, found->text};
  const toml::table table = parse_toml(text);
  // What it starts from: the members' own values, or another preset.
  const std::string base = named_preset(table, text, "");
  Options options = base.empty() ? Options() : preset(base);
  assign_table(table, text, options);
  options.preset = name;
  return options;
}

}  // namespace duel
