#include "tools/verbs/value_flags.h"

#include "host/config/configuration.h"
#include "host/config/decimal.h"
#include "host/config/option_keys.h"
#include "kernels/check.h"

#include <cstdint>
#include <functional>

namespace duel {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& text, const std::string& allowed) {
  const bool is_plain = !text.empty() && text.find_first_of(" \t\r\n") == std::string::npos;
  throw_error(Error::Kind::usage, "{} {}: must be {}", name, is_plain ? text : toml_quoted(text), allowed);
}

CLI::Option* add(CLI::App& verb, const std::string& name, const std::string& help,
                 const std::function<void(const std::string&)>& read) {
  return verb.add_option_function<std::string>(name, read, help)->take_last();
}

}  // namespace

template <class T>
CLI::Option* add_integer(CLI::App& verb, const std::string& name, T& value, T low, T high, const std::string& help) {
  return add(verb, name, help, [&value, name, low, high](const std::string& text) {
    const std::optional<T> number = decimal_integer<T>(text);
    if (!number || *number < low || *number > high) {
      refuse(name, text, fmt::format("an integer from {} to {}", low, high));
    }
    value = *number;
  });
}

template CLI::Option* add_integer<int>(CLI::App&, const std::string&, int&, int, int, const std::string&);
template CLI::Option* add_integer<std::int64_t>(CLI::App&, const std::string&, std::int64_t&, std::int64_t,
                                                std::int64_t, const std::string&);
template CLI::Option* add_integer<std::uint64_t>(CLI::App&, const std::string&, std::uint64_t&, std::uint64_t,
                                                 std::uint64_t, const std::string&);

CLI::Option* add_real(CLI::App& verb, const std::string& name, double& value, double low, double high,
                      const std::string& help) {
  return add(verb, name, help, [&value, name, low, high](const std::string& text) {
    const std::optional<double> number = decimal_real(text);
    if (!number || *number < low || *number > high) {
      refuse(name, text, fmt::format("a number from {} to {}", low, high));
    }
    value = *number;
  });
}

CLI::Option* add_text(CLI::App& verb, const std::string& name, std::string& value, const std::string& help) {
  return add(verb, name, help, [&value, name](const std::string& text) {
    if (text.empty()) {
      refuse(name, text, "a text that is not empty");
    }
    value = text;
  });
}

CLI::Option* add_key(CLI::App& verb, const std::string& name, Options& options, const std::string& key,
                     const std::string& help) {
  return add(verb, name, help, [&options, name, key](const std::string& text) {
    apply_setting({name, key, text}, options);
  });
}

}  // namespace duel
