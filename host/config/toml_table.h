// The way from TOML to options. Unknown keys, wrong types and values that a key does not allow are errors of kind
// `usage` that name the place, the key, the value and what is allowed, or for an unknown key the nearest one.
//
// Unusual: of a number the letters are looked at, not only TOML's value of them: 0x20 and +5 are refused in a file as
// they are on the command line.
#pragma once

#include "host/config/option_keys.h"
#include "host/config/options.h"

#include <toml++/toml.h>

#include <string>
#include <string_view>

namespace duel {

struct TomlText {
  std::string_view name;  // of the file, for errors
  std::string_view text;
  bool is_setting = false;  // of the command line: no lines or columns in errors
};

toml::table parse_toml(const TomlText& text);

// One value into the option of that key.
void assign(const OptionKey& key, const toml::node& node, const TomlText& text, Options& options);
// All keys of the table, but not `preset`, which says what `options` were before.
void assign_table(const toml::table& table, const TomlText& text, Options& options);
// The table's key `preset`, or `otherwise` where it has none.
std::string named_preset(const toml::table& table, const TomlText& text, const std::string& otherwise);

[[noreturn]] void throw_unknown_key(const std::string& where, std::string_view name);

}  // namespace duel
