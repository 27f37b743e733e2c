// The table of option keys: one row says how a key is called, where its value lives in Options, what it may be
// and what it means. Parsing, --set, validation, writing and the help text all walk this table, so a new option is
// a member in options.h and a row in option_keys.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/config/options.h"
#include "host/config/schedule_option.h"

namespace duel {

template <class T>
struct OptionField {
  const T& (*get)(const Options&);
  T& (*edit)(Options&);
};

template <class T>
struct IntegerOption {  // low, low + stride, ... high
  OptionField<T> field;
  T low, high;
  T stride = 1;
};

struct RealOption {
  OptionField<double> field;
  double low, high;
  bool below_high = false;  // high itself is not allowed
};

struct ScheduledOption {  // a number, or a schedule of such numbers
  OptionField<ScheduleOption> field;
  ScheduleRange range;
};

struct WordOption {
  OptionField<std::string> field;
  std::vector<std::string_view> words;
};

struct FlagOption {  // true or false
  OptionField<bool> field;
};

struct DeviceOption {  // auto, cpu, cuda or cuda:N
  OptionField<std::string> field;
};

struct PatternOption {  // a text of some form
  OptionField<std::string> field;
  bool (*is_allowed)(std::string_view text);
  std::string_view allowed;  // "auto, or WxH"
};

struct TextOption {  // anything but nothing
  OptionField<std::string> field;
};

struct WidthsOption {  // a list of integers from low to high, empty to at_most long
  OptionField<std::vector<int>> field;
  int low, high;
  int at_most;
};

using OptionKind =
    std::variant<IntegerOption<int>, IntegerOption<std::int64_t>, IntegerOption<std::uint64_t>, RealOption,
                 ScheduledOption, FlagOption, WordOption, DeviceOption, PatternOption, TextOption, WidthsOption>;

struct OptionKey {
  std::string_view name;  // "train.batch"
  OptionKind kind;
  std::string_view description;
};

// In the order of config.toml: keys without a table first, then table by table.
const std::vector<OptionKey>& option_keys();
const OptionKey* find_option_key(std::string_view name);  // null where there is none

// The known key that is most like `name`, or "" where none is near. "batch" is near "train.batch".
std::string_view nearest_option_key(std::string_view name);

std::string allowed_values(const OptionKey& key);                      // "an integer from 1 to 65536"
bool is_allowed(const OptionKey& key, const Options& options);         // whether the value that options hold is
std::string value_text(const OptionKey& key, const Options& options);  // in TOML, from which it reads back exactly

std::string toml_quoted(std::string_view text);  // as a TOML basic string
std::string toml_real(double value);             // the shortest text that reads back as the same double

}  // namespace duel
