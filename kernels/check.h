// The one exception type of the project, and the checks that throw it.
//
// A message says what, where and what to do, with the values in it: the first word is the operator, file or
// option that complains. tools/duel.cpp catches it once, prints one line, and exits with the kind's code.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace duel {

class Error : public std::runtime_error {
public:
  enum class Kind {  // the value is the exit code of the process
    internal = 1,    // a fault of ours
    usage = 2,       // command line or configuration
    data = 3,        // a data set, a checkpoint, a run directory
    device = 4,      // no such device, not enough memory, an instruction that is missing
    non_finite = 5,  // training produced an infinity or a NaN
  };

  Error(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  Kind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

private:
  Kind kind_;
};

// throw_error(Error::Kind::data, "{}: ends after {} bytes", path, n)
template <class... Args>
[[noreturn]] void throw_error(Error::Kind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

// Shapes and types that cannot be right are faults of the caller inside this project: kind `internal`.
template <class... Args>
void check(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) {
    throw_error(Error::Kind::internal, format, std::forward<Args>(args)...);
  }
}

}  // namespace duel
