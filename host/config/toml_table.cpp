#include "host/config/toml_table.h"

#include "host/config/decimal.h"
#include "host/config/schedule_option.h"
#include "kernels/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <type_traits>
#include <utility>
#include <vector>

namespace duel {

namespace {

// "run.toml:3:9"
std::string place(const TomlText& text_of, const toml::source_region& source) {
  if (!source.begin || text_of.is_setting) {
    return std::string(text_of.name);
  }
  return fmt::format("{}:{}:{}", text_of.name, source.begin.line, source.begin.column);
}

// The letters of a number in a file. TOML's columns count characters of UTF-8, not bytes.
std::string_view letters_of(const TomlText& text_of, const toml::node& node) {
  std::string_view rest = text_of.text;
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
bool take(const IntegerOption<T>& kind, const toml::node& node, const TomlText& text_of, Options& options) {
  std::optional<T> value;
  if (node.is_integer()) {
    value = decimal_integer<T>(letters_of(text_of, node));
  } else if (std::is_same_v<T, std::uint64_t> && node.is_string()) {
    value = decimal_integer<T>(node.as_string()->get());
  }
  kind.field.edit(options) = value.value_or(T{});
  return value.has_value();
}

bool take(const RealOption& kind, const toml::node& node, const TomlText& text_of, Options& options) {
  const std::optional<double> value = node.is_number() ? decimal_real(letters_of(text_of, node)) : std::nullopt;
  kind.field.edit(options) = value.value_or(0);
  return value.has_value();
}

bool take(const ScheduledOption& kind, const toml::node& node, const TomlText& text_of, Options& options) {
  const std::optional<double> value = node.is_number() ? decimal_real(letters_of(text_of, node)) : std::nullopt;
  kind.field.edit(options) = value.value_or(0);
  return value.has_value();
}

bool take(const FlagOption& kind, const toml::node& node, const TomlText&, Options& options) {
  kind.field.edit(options) = node.is_boolean() && node.as_boolean()->get();
  return node.is_boolean();
}

bool take_text(const OptionField<std::string>& field, const toml::node& node, Options& options) {
  const auto* text = node.as_string();
  field.edit(options) = text ? text->get() : std::string();
  return text != nullptr;
}
bool take(const WordOption& kind, const toml::node& node, const TomlText&, Options& options) {
  return take_text(kind.field, node, options);
}
bool take(const DeviceOption& kind, const toml::node& node, const TomlText&, Options& options) {
  return take_text(kind.field, node, options);
}
bool take(const PatternOption& kind, const toml::node& node, const TomlText&, Options& options) {
  return take_text(kind.field, node, options);
}
bool take(const TextOption& kind, const toml::node& node, const TomlText&, Options& options) {
  return take_text(kind.field, node, options);
}

bool take(const WidthsOption& kind, const toml::node& node, const TomlText& text_of, Options& options) {
  const auto* list = node.as_array();
  if (!list) {
    return false;
  }
  std::vector<int> values;
  for (const toml::node& item : *list) {
    const std::optional<int> value = item.is_integer() ? decimal_integer<int>(letters_of(text_of, item)) : std::nullopt;
    if (!value) {
      return false;
    }
    values.push_back(*value);
  }
  kind.field.edit(options) = std::move(values);
  return true;
}

// "from", "to" or "until"; for what a shape has, and for what a person may have meant.
std::string joined_names(ScheduleOption::Shape shape) {
  std::string names = "shape";
  for (const ScheduleField& field : schedule_fields()) {
    names += field.is_of(shape) ? fmt::format(", {}", field.name) : "";
  }
  return names;
}

// A table such as {from = 5e-4, to = 1e-4}. `refuse` takes the end of a sentence.
template <class Refuse>
ScheduleOption schedule_of(const toml::table& table, const TomlText& text_of, const Refuse& refuse) {
  using Curve = ScheduleOption::Shape;
  ScheduleOption option;
  option.shape = table.contains("half_life") ? Curve::half_life
                 : table.contains("to")      ? Curve::linear
                                             : Curve::constant;
  if (const toml::node* node = table.get("shape")) {
    const auto& shapes = schedule_shapes();
    const auto* word = node->as_string();
    const auto found = std::find(shapes.begin(), shapes.end(), word ? word->get() : "");
    if (found == shapes.end()) {
      refuse(fmt::format("shape = {} must be {} or {}", shown(*node), fmt::join(shapes.begin(), shapes.end() - 1, ", "),
                         shapes.back()));
    }
    option.shape = static_cast<Curve>(found - shapes.begin());
  }
  for (const auto& [name, node] : table) {
    const auto& fields = schedule_fields();
    const auto field = std::find_if(fields.begin(), fields.end(), [&, &key = name](const ScheduleField& f) {
      return f.name == key.str() && f.is_of(option.shape);
    });
    if (name == "shape") {
      continue;
    }
    if (field == fields.end()) {
      refuse(fmt::format("a schedule of shape {} has no {}, but {}",
                         schedule_shapes()[static_cast<std::size_t>(option.shape)], name.str(),
                         joined_names(option.shape)));
    }
    const std::optional<double> value = node.is_number() ? decimal_real(letters_of(text_of, node)) : std::nullopt;
    if (!value) {
      refuse(fmt::format("{} = {} must be a number", name.str(), shown(node)));
    }
    option.*field->member = *value;
  }
  for (const ScheduleField& field : schedule_fields()) {
    if (!field.is_extent && field.is_of(option.shape) && !table.contains(field.name)) {
      refuse(fmt::format("a schedule of shape {} needs {}", schedule_shapes()[static_cast<std::size_t>(option.shape)],
                         field.name));
    }
  }
  if (option.shape == Curve::constant) {
    option.to = option.from;
  }
  return option;
}

void assign_schedule(const OptionKey& key, const ScheduledOption& kind, const toml::table& table,
                     const TomlText& text_of, Options& options) {
  const auto refuse = [&](const std::string& why) {
    throw_error(Error::Kind::usage, "{}: {}: {}", place(text_of, table.source()), key.name, why);
  };
  ScheduleOption& option = kind.field.edit(options);
  option = schedule_of(table, text_of, refuse);
  if (const std::string why = why_impossible(option, kind.range); !why.empty()) {
    refuse(why);
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

void assign_keys(const toml::table& table, const std::string& prefix, const TomlText& text_of, Options& options) {
  for (const auto& [name, node] : table) {
    const std::string full = prefix + std::string(name.str());
    if (full == "preset") {
      continue;
    }
    if (const OptionKey* key = find_option_key(full)) {
      assign(*key, node, text_of, options);
    } else if (const auto* inner = node.as_table(); inner && (is_table_name(full) || !inner->empty())) {
      assign_keys(*inner, full + '.', text_of, options);
    } else {
      throw_unknown_key(place(text_of, name.source()), full);
    }
  }
}

}  // namespace

toml::table parse_toml(const TomlText& text) {
  try {
    return toml::parse(text.text, text.name);
  } catch (const toml::parse_error& error) {
    throw_error(Error::Kind::usage, "{}: this is not TOML: {}", place(text, error.source()), error.description());
  }
}

void assign(const OptionKey& key, const toml::node& node, const TomlText& text, Options& options) {
  const auto* scheduled = std::get_if<ScheduledOption>(&key.kind);
  if (scheduled != nullptr && node.is_table()) {
    assign_schedule(key, *scheduled, *node.as_table(), text, options);
    return;
  }
  const bool taken = std::visit([&](const auto& kind) { return take(kind, node, text, options); }, key.kind);
  if (!taken || !is_allowed(key, options)) {
    throw_error(Error::Kind::usage, "{}: {} = {} must be {}", place(text, node.source()), key.name, shown(node),
                allowed_values(key));
  }
}

void assign_table(const toml::table& table, const TomlText& text, Options& options) {
  assign_keys(table, "", text, options);
}

std::string named_preset(const toml::table& table, const TomlText& text, const std::string& otherwise) {
  Options named;
  named.preset = otherwise;
  if (const toml::node* node = table.get("preset")) {
    assign(*find_option_key("preset"), *node, text, named);
  }
  return named.preset;
}

void throw_unknown_key(const std::string& where, std::string_view name) {
  if (is_table_name(name)) {
    throw_error(Error::Kind::usage, "{}: {} is a table of keys, not a key with a value", where, name);
  }
  const std::string_view nearest = nearest_option_key(name);
  if (nearest.empty()) {
    throw_error(Error::Kind::usage, "{}: unknown key {}; `duel train --help-keys` lists those there are", where, name);
  }
  throw_error(Error::Kind::usage, "{}: unknown key {}; did you mean {}?", where, name, nearest);
}

}  // namespace duel
