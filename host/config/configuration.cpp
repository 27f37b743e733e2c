// The way from TOML and --set to Options, and back. What the keys are stands in option_keys.cpp.
//
// Unusual: a seed of 2^63 or more does not fit TOML's integers, so it is written, and accepted, as a string of
// digits: seed = "18446744073709551615". And of a number in a file the letters are looked at, not only TOML's value of
// them: 0x20 and +5 are refused in a file as they are on the command line.
#include "host/config/configuration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <type_traits>
#include <utility>

#include "host/config/decimal.h"
#include "host/config/option_keys.h"
#include "kernels/check.h"

namespace duel {
namespace {

constexpr auto kUsage = Error::Kind::usage;
constexpr std::string_view kSetting = "--set";

// A file's name and its text.
struct Origin {
  std::string_view name, text;
};

// "run.toml:3:9"
std::string place(const Origin& origin, const toml::source_region& source) {
  if (!source.begin) {
    return std::string(origin.name);
  }
  return fmt::format("{}:{}:{}", origin.name, source.begin.line, source.begin.column);
}

// The letters of a number in a file. TOML's columns count characters of UTF-8, not bytes.
std::string_view letters_of(const Origin& origin, const toml::node& node) {
  std::string_view rest = origin.text;
  for (toml::source_index line = 1; line < node.source().begin.line; ++line) {
    rest.remove_prefix(std::min(rest.size(), rest.find('\n') + 1));
  }
  for (toml::source_index column = 1; column < node.source().begin.column && !rest.empty(); ++column) {
    do {
      rest.remove_prefix(1);
    } while (!rest.empty() && (static_cast<unsigned char>(rest.front()) & 0xc0) == 0x80);
  }
  return rest.substr(0, rest.find_first_of(" \t\r\n,]}#"));
}

// The value as a person would write it, on one line, for an error.
std::string shown(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return toml_quoted(text->get());
  }
  if (const auto* number = node.as_floating_point()) {
    return toml_real(number->get());
  }
  if (const auto* list = node.as_array()) {
    std::string items;
    for (const toml::node& item : *list) {
      items += fmt::format("{}{}", items.empty() ? "" : ", ", shown(item));
    }
    return fmt::format("[{}]", items);
  }
  std::ostringstream text;
  node.visit([&](const auto& value) {
    if constexpr (toml::is_table<decltype(value)>) {
      text << "{...}";
    } else {
      text << value;
    }
  });
  return text.str();
}

// Each takes a node of a file into the option where the type is right; the range is checked after that.
template <class T>
bool take(const IntegerOption<T>& kind, const toml::node& node, const Origin& origin, Options& options) {
  std::optional<T> value;
  if (node.is_integer()) {
    value = decimal_integer<T>(letters_of(origin, node));
  } else if (std::is_same_v<T, std::uint64_t> && node.is_string()) {
    value = decimal_integer<T>(node.as_string()->get());
  }
  kind.field.edit(options) = value.value_or(T{});
  return value.has_value();
}

bool take(const RealOption& kind, const toml::node& node, const Origin& origin, Options& options) {
  const std::optional<double> value = node.is_number() ? decimal_real(letters_of(origin, node)) : std::nullopt;
  kind.field.edit(options) = value.value_or(0);
  return value.has_value();
}

bool take_text(const OptionField<std::string>& field, const toml::node& node, Options& options) {
  const auto* text = node.as_string();
  field.edit(options) = text ? text->get() : std::string();
  return text != nullptr;
}
bool take(const WordOption& kind, const toml::node& node, const Origin&, Options& options) {
  return take_text(kind.field, node, options);
}
bool take(const DeviceOption& kind, const toml::node& node, const Origin&, Options& options) {
  return take_text(kind.field, node, options);
}
bool take(const TextOption& kind, const toml::node& node, const Origin&, Options& options) {
  return take_text(kind.field, node, options);
}

bool take(const WidthsOption& kind, const toml::node& node, const Origin& origin, Options& options) {
  const auto* list = node.as_array();
  if (!list) {
    return false;
  }
  std::vector<int> values;
  for (const toml::node& item : *list) {
    const std::optional<int> value = item.is_integer() ? decimal_integer<int>(letters_of(origin, item)) : std::nullopt;
    if (!value) {
      return false;
    }
    values.push_back(*value);
  }
  kind.field.edit(options) = std::move(values);
  return true;
}

void assign(const OptionKey& key, const toml::node& node, const Origin& origin, Options& options) {
  const bool taken = std::visit([&](const auto& kind) { return take(kind, node, origin, options); }, key.kind);
  if (!taken || !is_allowed(key, options)) {
    throw_error(kUsage, "{}: {} = {} must be {}", place(origin, node.source()), key.name, shown(node),
                allowed_values(key));
  }
}

// The same of the command line's texts.
template <class T>
bool read(const IntegerOption<T>& kind, const std::string& text, Options& options) {
  const std::optional<T> value = decimal_integer<T>(text);
  kind.field.edit(options) = value.value_or(T{});
  return value.has_value();
}
bool read(const RealOption& kind, const std::string& text, Options& options) {
  const std::optional<double> value = decimal_real(text);
  kind.field.edit(options) = value.value_or(0);
  return value.has_value();
}
bool read(const WidthsOption& kind, const std::string& text, Options& options) {
  std::optional<std::vector<int>> values = decimal_list(text);
  kind.field.edit(options) = std::move(values).value_or(std::vector<int>());
  return values.has_value();
}
template <class Kind>
bool read(const Kind& kind, const std::string& text, Options& options) {
  kind.field.edit(options) = text;
  return true;
}

bool holds_text(const OptionKey& key) {
  return std::holds_alternative<WordOption>(key.kind) || std::holds_alternative<DeviceOption>(key.kind) ||
         std::holds_alternative<TextOption>(key.kind);
}

// A number as it was typed; in quotes where that does not look like one, so that a space or nothing at all is seen.
std::string shown(const OptionKey& key, const std::string& text) {
  const bool looks_like_a_number =
      !text.empty() && text.find_first_not_of("0123456789+-._eExX[],") == std::string::npos;
  return !holds_text(key) && looks_like_a_number ? text : toml_quoted(text);
}

bool is_table_name(std::string_view name) {
  for (const OptionKey& key : option_keys()) {
    if (key.name.size() > name.size() && key.name.starts_with(name) && key.name[name.size()] == '.') {
      return true;
    }
  }
  return false;
}

[[noreturn]] void throw_unknown(const std::string& where, std::string_view name) {
  if (is_table_name(name)) {
    throw_error(kUsage, "{}: {} is a table of keys, not a key with a value", where, name);
  }
  const std::string_view nearest = nearest_option_key(name);
  if (nearest.empty()) {
    throw_error(kUsage, "{}: unknown key {}; `duel train --help-keys` lists those there are", where, name);
  }
  throw_error(kUsage, "{}: unknown key {}; did you mean {}?", where, name, nearest);
}

void assign_table(const toml::table& table, const std::string& prefix, const Origin& origin, Options& options) {
  for (const auto& [name, node] : table) {
    const std::string full = prefix + std::string(name.str());
    if (full == "preset") {
      continue;  // it was the start, see resolve
    }
    if (const OptionKey* key = find_option_key(full)) {
      assign(*key, node, origin, options);
    } else if (const auto* inner = node.as_table(); inner && (is_table_name(full) || !inner->empty())) {
      assign_table(*inner, full + '.', origin, options);
    } else {
      throw_unknown(place(origin, name.source()), full);
    }
  }
}

// Without the quotes around a text, or around a seed as config.toml writes great ones.
std::string unquoted(const OptionKey& key, const std::string& text) {
  const bool may_be_quoted = holds_text(key) || std::holds_alternative<IntegerOption<std::uint64_t>>(key.kind);
  const bool is_quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  if (!may_be_quoted || !is_quoted) {
    return text;
  }
  const std::string inner = text.substr(1, text.size() - 2);
  if (inner.find(text.front()) != std::string::npos || (text.front() == '"' && inner.find('\\') != std::string::npos)) {
    throw_error(
        kUsage,
        "{}: {} = {} could mean two things; leave the outer quotes out, then every letter is taken as it stands",
        kSetting, key.name, text);
  }
  return inner;
}

toml::table parse(const std::string& text, const std::string& origin) {
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    throw_error(kUsage, "{}: this is not TOML: {}", place({origin, text}, error.source()), error.description());
  }
}

std::string read_text(const std::string& path) {
  const auto refuse = [&](int reason) {
    throw_error(kUsage, "{}: the configuration cannot be read: {}", path, std::strerror(reason));
  };
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    refuse(EISDIR);  // a folder opens as a file does, and fails only when it is read
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    refuse(errno);
  }
  std::ostringstream text;
  text << file.rdbuf();
  if (text.bad()) {
    refuse(EIO);
  }
  return text.str();
}

Options resolve(const std::string& preset_name, const std::string& text, const std::string& file) {
  const toml::table table = parse(text, file);
  const Origin origin{file, text};
  Options named;
  if (const toml::node* node = table.get("preset")) {
    assign(*find_option_key("preset"), *node, origin, named);
  }
  Options options = preset(preset_name.empty() ? named.preset : preset_name);
  assign_table(table, "", origin, options);
  return options;
}

bool is_folder(const Options::Data& data) {
  return data.source != "fashion-mnist" && data.source != "synthetic" && !data.source.empty();
}

std::string absolute_text(const std::filesystem::path& path) {
  std::error_code failure;
  const std::filesystem::path whole = std::filesystem::absolute(path, failure);
  return failure ? path.string() : whole.string();
}

// Of a folder that a file names: from the file's own folder where there is such a one.
void anchor(Options::Data& data, const std::string& file) {
  std::error_code failure;
  const std::filesystem::path beside = std::filesystem::path(file).parent_path() / data.source;
  if (is_folder(data) && std::filesystem::exists(beside, failure)) {
    data.source = absolute_text(beside);
  }
}

// config.toml must be UTF-8, which a path on disk need not be.
bool reads_back(const std::string& toml_value) {
  try {
    return toml::parse("value = " + toml_value).size() == 1;
  } catch (const toml::parse_error&) {
    return false;
  }
}

// "train.batch = 64", or "--batch 64" where that is how it was said.
std::string as_given(const std::string& key, const std::vector<Setting>& settings, const Options& options) {
  const std::string value = value_text(*find_option_key(key), options);
  const auto last = std::find_if(settings.rbegin(), settings.rend(), [&](const Setting& s) { return s.key == key; });
  return last == settings.rend() || last->origin == kSetting ? fmt::format("{} = {}", key, value)
                                                             : fmt::format("{} {}", last->origin, value);
}

void validate(const Options& options, const std::vector<Setting>& settings) {
  for (const OptionKey& key : option_keys()) {
    const std::string value = value_text(key, options);
    if (!is_allowed(key, options)) {
      throw_error(kUsage, "{} = {} must be {}", key.name, value, allowed_values(key));
    }
    if (std::holds_alternative<TextOption>(key.kind) && !reads_back(value)) {
      throw_error(kUsage, "{} is not UTF-8, so config.toml could not hold it; rename the folder",
                  as_given(std::string(key.name), settings, options));
    }
  }
  if (options.data.source == "synthetic" && options.train.steps == 0 &&
      options.train.batch > options.data.synthetic_count) {
    throw_error(kUsage,
                "{} is more than data.synthetic_count = {}, so an epoch would have no step; give train.steps or a "
                "smaller batch",
                as_given("train.batch", settings, options), options.data.synthetic_count);
  }
}

}  // namespace

Setting parse_setting(const std::string& key_and_value) {
  const auto equals = key_and_value.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == key_and_value.size()) {
    throw_error(kUsage, "{}: \"{}\" must be key=value, for example train.batch=32", kSetting, key_and_value);
  }
  const std::string name = key_and_value.substr(0, equals);
  if (name == "preset") {
    throw_error(kUsage, "{}: preset is what the settings start from; choose it with --preset NAME or in the file",
                kSetting);
  }
  const OptionKey* key = find_option_key(name);
  if (!key) {
    throw_unknown(std::string(kSetting), name);
  }
  return {std::string(kSetting), name, unquoted(*key, key_and_value.substr(equals + 1))};
}

void apply_setting(const Setting& setting, Options& options) {
  const OptionKey* key = find_option_key(setting.key);
  check(key != nullptr, "{}: there is no key {}", setting.origin, setting.key);
  const bool taken = std::visit([&](const auto& kind) { return read(kind, setting.text, options); }, key->kind);
  if (!taken || !is_allowed(*key, options)) {
    const std::string value = shown(*key, setting.text);
    throw_error(kUsage, "{} must be {}",
                setting.origin == kSetting ? fmt::format("{}: {} = {}", kSetting, key->name, value)
                                           : fmt::format("{} {}:", setting.origin, value),
                allowed_values(*key));
  }
}

Options resolve_options(const std::string& preset_name, const std::string& file, const std::vector<Setting>& settings) {
  Options options = resolve(preset_name, file.empty() ? "" : read_text(file), file);
  anchor(options.data, file);
  for (const Setting& setting : settings) {
    apply_setting(setting, options);
  }
  if (is_folder(options.data)) {
    options.data.source = absolute_text(options.data.source);
  }
  validate(options, settings);
  return options;
}

Options options_from_toml(const std::string& text, const std::string& origin) {
  Options options = resolve("", text, origin);
  validate(options);
  return options;
}

void validate(const Options& options) {
  validate(options, {});
}

std::string to_toml(const Options& options, const std::string& comments) {
  std::string text = "# Every option of this run; `duel train --help-keys` says what each means.\n" + comments;
  std::string_view table;
  for (const OptionKey& key : option_keys()) {
    const auto dot = key.name.find('.');
    const std::string_view here = dot == std::string_view::npos ? "" : key.name.substr(0, dot);
    if (here != table) {
      table = here;
      text += fmt::format("\n[{}]\n", table);
    }
    text += fmt::format("{} = {}\n", key.name.substr(here.empty() ? 0 : dot + 1), value_text(key, options));
  }
  return text;
}

std::string describe_option_keys() {
  const Options steady = preset("steady");
  std::string text;
  for (const OptionKey& key : option_keys()) {
    text += fmt::format("{} = {}\n    {}\n    {}\n", key.name, value_text(key, steady), key.description,
                        allowed_values(key));
  }
  return text;
}

}  // namespace duel
