// Presets, the way from TOML and --set to Options, and back. What the keys are stands in option_keys.cpp.
//
// Unusual: a seed of 2^63 or more does not fit TOML's integers, so it is written, and accepted, as a string of
// digits: seed = "18446744073709551615".
#include "host/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <type_traits>
#include <utility>

#include "host/option_keys.h"
#include "kernels/check.h"

namespace duel {
namespace {

constexpr auto kUsage = Error::Kind::usage;
constexpr std::string_view kSetting = "--set";

// "run.toml:3:9" for a file; a setting is one line that the person has in view, so there it is the option's name.
std::string place(std::string_view origin, const toml::source_region& source) {
  if (origin == kSetting || !source.begin) {
    return std::string(origin);
  }
  return fmt::format("{}:{}:{}", origin, source.begin.line, source.begin.column);
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

// Each takes the node into the option where the type is right; the range is checked after that.
template <class T>
bool take(const IntegerOption<T>& kind, const toml::node& node, Options& options) {
  if (const auto* number = node.as_integer()) {
    if (!std::in_range<T>(number->get())) {
      return false;
    }
    kind.field.edit(options) = static_cast<T>(number->get());
    return true;
  }
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (const auto* text = node.as_string()) {
      const char* end = text->get().data() + text->get().size();
      const auto [rest, failure] = std::from_chars(text->get().data(), end, kind.field.edit(options));
      return failure == std::errc() && rest == end;
    }
  }
  return false;
}

bool take(const RealOption& kind, const toml::node& node, Options& options) {
  const auto number = node.is_number() ? node.value<double>() : std::nullopt;
  kind.field.edit(options) = number.value_or(0);
  return number.has_value();
}

bool take_text(const OptionField<std::string>& field, const toml::node& node, Options& options) {
  const auto* text = node.as_string();
  field.edit(options) = text ? text->get() : std::string();
  return text != nullptr;
}
bool take(const WordOption& kind, const toml::node& node, Options& options) {
  return take_text(kind.field, node, options);
}
bool take(const DeviceOption& kind, const toml::node& node, Options& options) {
  return take_text(kind.field, node, options);
}
bool take(const TextOption& kind, const toml::node& node, Options& options) {
  return take_text(kind.field, node, options);
}

bool take(const WidthsOption& kind, const toml::node& node, Options& options) {
  const auto* list = node.as_array();
  if (!list) {
    return false;
  }
  std::vector<int> values;
  for (const toml::node& item : *list) {
    const auto* number = item.as_integer();
    if (!number || !std::in_range<int>(number->get())) {
      return false;
    }
    values.push_back(static_cast<int>(number->get()));
  }
  kind.field.edit(options) = std::move(values);
  return true;
}

void assign(const OptionKey& key, const toml::node& node, const std::string& where, Options& options) {
  const bool taken = std::visit([&](const auto& kind) { return take(kind, node, options); }, key.kind);
  if (!taken || !is_allowed(key, options)) {
    throw_error(kUsage, "{}: {} = {} must be {}", where, key.name, shown(node), allowed_values(key));
  }
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

void assign_table(const toml::table& table, const std::string& prefix, const std::string& origin, Options& options) {
  for (const auto& [name, node] : table) {
    const std::string full = prefix + std::string(name.str());
    if (full == "preset") {
      continue;  // it was the start, see resolve
    }
    if (const OptionKey* key = find_option_key(full)) {
      assign(*key, node, place(origin, node.source()), options);
    } else if (const auto* inner = node.as_table(); inner && (is_table_name(full) || !inner->empty())) {
      assign_table(*inner, full + '.', origin, options);
    } else {
      throw_unknown(place(origin, name.source()), full);
    }
  }
}

// A value is TOML; what is no TOML is a bare word, and an option that holds text takes the letters as they stand, so
// that data.source=2024 is a folder and no number.
toml::table parse_value(const OptionKey& key, const std::string& text) {
  const bool holds_text = std::holds_alternative<WordOption>(key.kind) ||
                          std::holds_alternative<DeviceOption>(key.kind) ||
                          std::holds_alternative<TextOption>(key.kind);
  const bool in_quotes = text.starts_with('"') || text.starts_with('\'');
  if (!holds_text || in_quotes) {
    try {
      toml::table table = toml::parse("value = " + text);
      if (table.size() == 1) {
        return table;
      }
    } catch (const toml::parse_error&) {
    }
  }
  return toml::table{{"value", text}};
}

void assign_setting(const std::string& setting, Options& options) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == setting.size()) {
    throw_error(kUsage, "{}: \"{}\" must be key=value, for example train.batch=32", kSetting, setting);
  }
  const std::string name = setting.substr(0, equals);
  if (name == "preset") {
    throw_error(kUsage, "{}: preset is what the settings start from; choose it with --preset NAME or in the file",
                kSetting);
  }
  const OptionKey* key = find_option_key(name);
  if (!key) {
    throw_unknown(std::string(kSetting), name);
  }
  const toml::table table = parse_value(*key, setting.substr(equals + 1));
  assign(*key, *table.get("value"), std::string(kSetting), options);
}

toml::table parse(const std::string& text, const std::string& origin) {
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    throw_error(kUsage, "{}: this is not TOML: {}", place(origin, error.source()), error.description());
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

Options resolve(const std::string& preset_name, const toml::table& table, const std::string& origin) {
  Options named;
  if (const toml::node* node = table.get("preset")) {
    assign(*find_option_key("preset"), *node, place(origin, node->source()), named);
  }
  Options options = preset(preset_name.empty() ? named.preset : preset_name);
  assign_table(table, "", origin, options);
  return options;
}

// config.toml must be UTF-8, which a path on disk need not be.
bool reads_back(const std::string& toml_value) {
  try {
    return toml::parse("value = " + toml_value).size() == 1;
  } catch (const toml::parse_error&) {
    return false;
  }
}

}  // namespace

Options preset(std::string_view name) {
  Options options;
  options.preset = name;
  if (name == "classic") {
    return options;
  }
  if (name == "steady") {
    // The relativistic loss with both zero-centred penalties, and no momentum: Huang et al. 2024, "The GAN is dead;
    // long live the GAN!", sections 2 and 3.
    options.model.discriminator_activation = "leaky_relu";
    options.model.leaky_slope = 0.2;
    options.loss.kind = "relativistic";
    options.loss.r1 = 0.5;
    options.loss.r2 = 0.5;
    options.optimizer.generator_learning_rate = 5e-4;
    options.optimizer.discriminator_learning_rate = 5e-4;
    options.optimizer.beta1 = 0;
    options.optimizer.beta2 = 0.99;
    options.optimizer.epsilon = 1e-7;
    options.optimizer.ema_decay = 0.99;
    return options;
  }
  throw_error(kUsage, "preset = {} must be {}", toml_quoted(name), fmt::join(preset_names(), " or "));
}

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {"classic", "steady"};
  return names;
}

Options resolve_options(const std::string& preset_name, const std::string& file,
                        const std::vector<std::string>& settings) {
  Options options = resolve(preset_name, file.empty() ? toml::table() : parse(read_text(file), file), file);
  for (const std::string& setting : settings) {
    assign_setting(setting, options);
  }
  validate(options);
  return options;
}

Options options_from_toml(const std::string& text, const std::string& origin) {
  Options options = resolve("", parse(text, origin), origin);
  validate(options);
  return options;
}

void validate(const Options& options) {
  for (const OptionKey& key : option_keys()) {
    const std::string value = value_text(key, options);
    if (!is_allowed(key, options)) {
      throw_error(kUsage, "{} = {} must be {}", key.name, value, allowed_values(key));
    }
    if (std::holds_alternative<TextOption>(key.kind) && !reads_back(value)) {
      throw_error(kUsage, "{} = {} is not UTF-8, so config.toml could not hold it; rename the folder", key.name, value);
    }
  }
  if (options.data.source == "synthetic" && options.train.steps == 0 &&
      options.train.batch > options.data.synthetic_count) {
    throw_error(kUsage,
                "train.batch = {} is more than data.synthetic_count = {}, so an epoch would have no step; give "
                "train.steps or a smaller batch",
                options.train.batch, options.data.synthetic_count);
  }
}

std::string to_toml(const Options& options) {
  std::string text = "# Every option of this run; `duel train --help-keys` says what each means.\n";
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
