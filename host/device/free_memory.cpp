#include "host/device/free_memory.h"

#include "host/device/cgroup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace duel {

namespace {

namespace fs = std::filesystem;

// The number behind `name` in a file of lines "name number"; none where there is no such line.
std::optional<std::uint64_t> number_after(const fs::path& file, std::string_view name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ') {
      return std::strtoull(line.c_str() + name.size(), nullptr, 10);
    }
  }
  return std::nullopt;
}

std::optional<FreeMemory> free_in(const Cgroup& group) {
  const fs::path limit_file = group.folder / (group.is_v2 ? "memory.max" : "memory.limit_in_bytes");
  const std::optional<std::uint64_t> limit = cgroup_number(limit_file);
  const std::optional<std::uint64_t> used =
      cgroup_number(group.folder / (group.is_v2 ? "memory.current" : "memory.usage_in_bytes"));
  constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;  // how version 1 says it: 2^63, less a page
  if (!limit || !used || *limit >= kNoLimit) {
    return std::nullopt;
  }
  std::uint64_t files = 0;
  const fs::path statistics = group.folder / "memory.stat";
  for (const char* list : {"inactive_file", "active_file"}) {
    files += number_after(statistics, group.is_v2 ? list : std::string("total_") + list).value_or(0);
  }
  const std::uint64_t taken = *used - std::min(files, *used);
  return FreeMemory{
      *limit - std::min(taken, *limit),
      fmt::format("under the limit of {:.1f} MiB in {}", static_cast<double>(*limit) / 0x1p20, limit_file.string())};
}

}  // namespace

std::optional<FreeMemory> free_memory(const fs::path& root) {
  std::optional<FreeMemory> least;
  const auto consider = [&](const std::optional<FreeMemory>& found) {
    if (found && (!least || found->bytes < least->bytes)) {
      least = found;
    }
  };
  if (const auto kibibytes = number_after(root / "proc/meminfo", "MemAvailable:")) {
    consider(FreeMemory{*kibibytes << 10, "on this machine"});
  }
  for (const Cgroup& group : cgroups_of_process("memory", root)) {
    consider(free_in(group));
  }
  return least;
}

}  // namespace duel
