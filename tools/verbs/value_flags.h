// Options of the command line that take one value: read as the keys of a configuration are (host/config/decimal.h),
// refused with the option's own name and the value. CLI11 itself reads 010 as eight.
#pragma once

#include "host/config/options.h"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

namespace duel {

inline constexpr std::int64_t kMostSteps = 1'000'000'000'000;  // as train.steps

// An integer from `low` to `high`. T: int, std::int64_t or std::uint64_t.
template <class T>
CLI::Option* add_integer(CLI::App& verb, const std::string& name, T& value, T low, T high, const std::string& help);

// A number from `low` to `high`.
CLI::Option* add_real(CLI::App& verb, const std::string& name, double& value, double low, double high,
                      const std::string& help);

// A text as it stands, of one letter at least; a path, or a name.
CLI::Option* add_text(CLI::App& verb, const std::string& name, std::string& value, const std::string& help);

// A key of the configuration, for a verb that takes few of them: into `options`.
CLI::Option* add_key(CLI::App& verb, const std::string& name, Options& options, const std::string& key,
                     const std::string& help);

}  // namespace duel
