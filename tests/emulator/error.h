// What is wrong with a kernel, and where.
#pragma once

#include <cstdarg>
#include <exception>

namespace duel::emulator {

// A line of a kernel. As a default argument, current() is the line of the call, in kernels that know nothing of it
// (std::source_location does the same, but clang 14 lacks it).
struct Location {
  const char* file = "";
  int line = 0;

  static constexpr Location current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
  const char* file_name() const;  // without the folders
};

// The text is in a buffer of its own: MemorySanitizer would call a std::string's, written by a library that is not
// instrumented, uninitialised.
class Error : public std::exception {
public:
  Error() : text_{} {}
  __attribute__((format(printf, 2, 3))) explicit Error(const char* format, ...);
  Error(const char* format, std::va_list arguments);
  const char* what() const noexcept override { return text_; }

private:
  char text_[600];
};

}  // namespace duel::emulator
