// How much memory of the machine this process may still take before the kernel ends it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace duel {

struct FreeMemory {
  std::size_t bytes = 0;
  std::string where;  // "on this machine", or "under the limit of 512.0 MiB in /sys/fs/cgroup/.../memory.max"
};

// The least of what the machine has left (MemAvailable) and what each of the process's groups (cgroup.h) has up to its
// limit. What a group uses for files that can be read again counts as free, as the kernel takes it back first. None
// where nothing is known.
std::optional<FreeMemory> free_memory(const std::filesystem::path& root = "/");

}  // namespace duel
