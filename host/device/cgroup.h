// The control groups that this process is in: what a container, a batch system or systemd lets it have of the machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct Cgroup {
  std::filesystem::path folder;  // of its files
  bool is_v2 = true;             // else they are named as version 1 names them
};

// The groups that may limit this process by `controller` ("cpu" or "memory"): its own, then those around it, of both
// versions, as far up as can be seen from here. In a container the group may be mounted as the topmost. Files are
// looked for under `root`; there is no error, but nothing found where they cannot be read.
std::vector<Cgroup> cgroups_of_process(std::string_view controller, const std::filesystem::path& root = "/");

// The number that a file of one line begins with; none where there is no such file, or it says "max" or less than 0.
std::optional<std::uint64_t> cgroup_number(const std::filesystem::path& file);

// Processors that the groups' quota comes to, such as 1.5: the least of all groups; none where none has one.
struct CpuQuota {
  double processors;
  std::string file;  // that says so
};
std::optional<CpuQuota> cpu_quota(const std::filesystem::path& root = "/");

}  // namespace duel
