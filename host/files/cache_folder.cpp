#include "host/files/cache_folder.h"

#include <cstdlib>

namespace duel {

std::filesystem::path cache_folder() {
  // A relative path would mean another folder each time; XDG's specification says to ignore it.
  const auto folder = [](const char* name) {
    const char* value = std::getenv(name);
    const std::filesystem::path path = value == nullptr ? "" : value;
    return path.is_absolute() ? path : std::filesystem::path();
  };
  if (const std::filesystem::path cache = folder("XDG_CACHE_HOME"); !cache.empty()) {
    return cache / "duel";
  }
  const std::filesystem::path home = folder("HOME");
  return home.empty() ? home : home / ".cache/duel";
}

}  // namespace duel
