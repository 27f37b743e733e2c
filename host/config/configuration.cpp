// The way from TOML and --set to Options, and back. What the keys are stands in option_keys.cpp.
// Unusual: a seed of 2^63 or more does not fit TOML's integers, so it is written, and accepted, as a string of
// digits: seed = "18446744073709551615".
#include "host/config/configuration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "host/config/decimal.h"
#include "host/config/degradation.h"
#include "host/config/option_keys.h"
#include "host/config/presets.h"
#include "host/config/toml_table.h"
#include "kernels/check.h"

namespace duel {
namespace {

constexpr auto kUsage = Error::Kind::usage;
constexpr std::string_view kSetting = "--set";

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
bool read(const ScheduledOption& kind, const std::string& text, Options& options) {
  const std::optional<double> value = decimal_real(text);
  kind.field.edit(options) = value.value_or(0);
  return value.has_value();
}
bool read(const FlagOption& kind, const std::string& text, Options& options) {
  kind.field.edit(options) = text == "true";
  return text == "true" || text == "false";
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
         std::holds_alternative<PatternOption>(key.kind) || std::holds_alternative<TextOption>(key.kind);
}

// A number as it was typed; in quotes where that does not look like one, so that a space or nothing at all is seen.
std::string shown(const OptionKey& key, const std::string& text) {
  const bool looks_like_a_number =
      !text.empty() && text.find_first_not_of("0123456789+-._eExX[],") == std::string::npos;
  return !holds_text(key) && looks_like_a_number ? text : toml_quoted(text);
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

bool is_folder(const Options::Data& data) {
  return data.source != "fashion-mnist" && data.source != "synthetic" && !data.source.empty();
}

std::string absolute_text(const std::filesystem::path& path) {
  std::error_code failure;
  const std::filesystem::path whole = std::filesystem::absolute(path, failure);
  return failure ? path.string() : whole.string();
}

bool has_pairs(const Options::Data& data) {
  return data.pairs != "none" && !data.pairs.empty();
}

bool has_into(const Options::Data& data) {
  return data.into != "none" && data.into != "fashion-mnist" && data.into != "synthetic" && !data.into.empty();
}

void anchor(std::string& folder, const std::string& file) {
  std::error_code failure;
  const std::filesystem::path beside = std::filesystem::path(file).parent_path() / folder;
  if (std::filesystem::exists(beside, failure)) {
    folder = absolute_text(beside);
  }
}

// Of folders that a file names: from the file's own folder where there are such.
void anchor(Options::Data& data, const std::string& file) {
  if (is_folder(data)) {
    anchor(data.source, file);
  }
  if (has_pairs(data)) {
    anchor(data.pairs, file);
  }
  if (has_into(data)) {
    anchor(data.into, file);
  }
}

Options resolve(const Options& start, const std::string& text, const std::string& file) {
  const TomlText source{file, text};
  Options options = start;
  assign_table(parse_toml(source), source, options);
  anchor(options.data, file);
  return options;
}

// The preset that a file starts from.
Options preset_of(const std::string& text, const std::string& file) {
  const TomlText source{file, text};
  return preset(named_preset(parse_toml(source), source, Options().preset));
}

// What --preset names: a preset that is built in, or a file, whose options are called after what it starts from.
Options preset_or_file(const std::string& name) {
  if (name.ends_with(".toml") || name.find('/') != std::string::npos) {
    const std::string text = read_text(name);
    return resolve(preset_of(text, name), text, name);
  }
  const std::vector<std::string_view> names = preset_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw_error(kUsage, "--preset {}: must be {}, or a file NAME.toml", toml_quoted(name),
                allowed_values(*find_option_key("preset")));
  }
  return preset(name);
}

// config.toml must be UTF-8, which a path on disk need not be.
bool reads_back(const std::string& toml_value) {
  try {
    return parse_toml({"", "value = " + toml_value}).size() == 1;
  } catch (const Error&) {
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
    if (const auto* kind = std::get_if<ScheduledOption>(&key.kind);
        kind != nullptr && !kind->field.get(options).is_number()) {
      if (const std::string why = why_impossible(kind->field.get(options), kind->range); !why.empty()) {
        throw_error(kUsage, "{}: {}", key.name, why);
      }
    } else if (!is_allowed(key, options)) {
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
  degradation_of(options.data.degrade);
  const Options::Evaluate& evaluate = options.evaluate;
  if (evaluate.keep_best != "none" && evaluate.every == 0) {
    throw_error(kUsage, "{} needs evaluations to choose by: give --evaluate-every N (evaluate.every)",
                as_given("evaluate.keep_best", settings, options));
  }
  if (evaluate.stop_when != "never" && evaluate.keep_best == "none") {
    throw_error(kUsage,
                "{} needs to know which checkpoint is the best: give --keep-best kid or frechet (evaluate.keep_best)",
                as_given("evaluate.stop_when", settings, options));
  }
}

void apply_schedule(const OptionKey& key, const Setting& setting, Options& options) {
  const std::string line = "value = " + setting.text;
  const TomlText text{setting.origin, line, true};
  const toml::table table = parse_toml(text);
  if (table.size() != 1) {
    throw_error(kUsage, "{}: {} = {} is more than one schedule", setting.origin, key.name, toml_quoted(setting.text));
  }
  assign(key, *table.get("value"), text, options);
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
    throw_unknown_key(std::string(kSetting), name);
  }
  return {std::string(kSetting), name, unquoted(*key, key_and_value.substr(equals + 1))};
}

void apply_setting(const Setting& setting, Options& options) {
  const OptionKey* key = find_option_key(setting.key);
  check(key != nullptr, "{}: there is no key {}", setting.origin, setting.key);
  if (std::holds_alternative<ScheduledOption>(key->kind) && setting.text.starts_with('{')) {
    apply_schedule(*key, setting, options);
    return;
  }
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
  const std::string text = file.empty() ? "" : read_text(file);
  const Options of_file = preset_of(text, file);  // looked at even where another preset was asked for
  Options options = resolve(preset_name.empty() ? of_file : preset_or_file(preset_name), text, file);
  for (const Setting& setting : settings) {
    apply_setting(setting, options);
  }
  if (is_folder(options.data)) {
    options.data.source = absolute_text(options.data.source);
  }
  if (has_pairs(options.data)) {
    options.data.pairs = absolute_text(options.data.pairs);
  }
  if (has_into(options.data)) {
    options.data.into = absolute_text(options.data.into);
  }
  if (options.data.degrade == "all") {
    options.data.degrade = kAllJobs;  // a run keeps what it meant when it began
  }
  if (options.perceptual.run != "none") {
    options.perceptual.run = absolute_text(options.perceptual.run);
  }
  validate(options, settings);
  return options;
}

Options options_from_toml(const std::string& text, const std::string& origin) {
  Options options = resolve(preset_of(text, origin), text, origin);
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

std::string to_json(const Options& options) {
  const std::string text = to_toml(options);
  const toml::table table = parse_toml({"the configuration", text});
  std::ostringstream json;
  json << toml::json_formatter(table);
  return json.str();
}

std::string describe_option_keys() {
  const Options start = preset(Options().preset);
  std::string text;
  for (const OptionKey& key : option_keys()) {
    text += fmt::format("{} = {}\n    {}\n    {}\n", key.name, value_text(key, start), key.description,
                        allowed_values(key));
  }
  return text +
         "\nA schedule is a table, in a file or for --set:\n"
         "    {from = 5e-4, to = 1e-4, shape = \"cosine\", until = 0.8, warmup = 100}\n"
         "    shape: constant, linear (where only `to` is given), cosine, exponential, or half_life\n"
         "    begin, until: between them it goes from `from` to `to`; 0 and 1, the whole run, where they are not "
         "given\n"
         "    warmup: linear from 0 before that\n"
         "    optimizer.ema_decay also takes half_life, in pictures, and burn_in: at most step / (step + burn_in)\n"
         "    begin, until, warmup, burn_in: shares of the run from 0 to 1, or integers above 1, which count steps\n";
}

}  // namespace duel
