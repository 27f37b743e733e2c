#include "emulator/error.h"

#include <cstdio>
#include <cstring>

namespace duel::emulator {

const char* Location::file_name() const {
  const char* slash = std::strrchr(file, '/');
  return slash == nullptr ? file : slash + 1;
}

Error::Error(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text_, sizeof text_, format, arguments);
  va_end(arguments);
}

Error::Error(const char* format, std::va_list arguments) {
  std::vsnprintf(text_, sizeof text_, format, arguments);
}

}  // namespace duel::emulator
