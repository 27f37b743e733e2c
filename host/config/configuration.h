// Where options come from: a preset, a TOML file, the command line.
//
// The keys of the file are the member names of Options, in the tables named in its comments, for example
// `optimizer.generator_learning_rate`. Unknown keys, wrong types and values out of range are errors of kind
// `usage` that name the key, the value, the allowed range, and for an unknown key the nearest known one.
#pragma once

#include "host/config/options.h"
#include "host/config/presets.h"

#include <string>
#include <vector>

namespace duel {

// A value of the command line.
struct Setting {
  std::string origin;  // "--set", or the option that stands for this key alone, as "--batch"; errors speak of it
  std::string key;
  std::string text;
};

// Of "key=value", as --set takes it. Quotes around a whole text are taken off where nothing in it could mean two
// things: no such quote again and, in double quotes, no backslash.
Setting parse_setting(const std::string& key_and_value);

// Reads the text into the option of that key: numbers as host/config/decimal.h says, lists as "[64, 128]", texts as
// they stand, without any escape.
void apply_setting(const Setting& setting, Options& options);

// preset < file < settings. `file` may be empty. The preset is `preset_name` where it is not empty (a name, or a TOML
// file: *.toml, or any path with a slash), else the file's key `preset`, else that of Options(). A preset in a file
// starts from what its own key `preset` names, and its options are called after that. A folder of pictures becomes an
// absolute path, so that config.toml names it wherever it is read from: one in the settings is meant from the current
// folder, one in the file from the file's own folder, or where that has none such from the current one.
Options resolve_options(const std::string& preset_name, const std::string& file, const std::vector<Setting>& settings);

// The same from TOML text that to_toml() wrote, as when a run is resumed; `origin` names it in errors.
Options options_from_toml(const std::string& text, const std::string& origin);

void validate(const Options& options);  // ranges; throws kind `usage`
// Every key, so that a run can be repeated from it; `comments`, lines that begin with #, come first.
std::string to_toml(const Options& options, const std::string& comments = "");
// The same for programs: an object of every key, those of a table in an object of their own.
std::string to_json(const Options& options);
std::string describe_option_keys();  // every key with its value in the preset of Options()

}  // namespace duel
