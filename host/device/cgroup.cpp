#include "host/device/cgroup.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace duel {

namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool names(std::string_view list, std::string_view controller) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (list.substr(begin, end - begin) == controller) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

// Adds `path` under `base` and all above it up to `base`. The path is that of the host, or of a group above ours, where
// the container has no namespace of its own: then what is mounted at `base` is our group itself.
void add_with_parents(const fs::path& base, fs::path path, bool is_v2, std::vector<Cgroup>& groups) {
  if (!is_folder(base)) {
    return;
  }
  path = path.relative_path();
  const bool is_outside = std::find(path.begin(), path.end(), "..") != path.end();
  if (is_outside || !is_folder(base / path)) {
    path.clear();
  }
  for (; !path.empty(); path = path.parent_path()) {
    groups.push_back({base / path, is_v2});
  }
  groups.push_back({base, is_v2});
}

std::optional<CpuQuota> quota_of(const Cgroup& group) {
  std::optional<std::uint64_t> quota, period;
  fs::path file = group.folder / (group.is_v2 ? "cpu.max" : "cpu.cfs_quota_us");
  quota = cgroup_number(file);
  if (group.is_v2) {
    std::ifstream words(file);
    std::string first;
    std::uint64_t second = 0;
    if (words >> first >> second) {
      period = second;
    }
  } else {
    period = cgroup_number(group.folder / "cpu.cfs_period_us");
  }
  if (!quota || !period || *quota == 0 || *period == 0) {
    return std::nullopt;
  }
  return CpuQuota{static_cast<double>(*quota) / static_cast<double>(*period), file.string()};
}

}  // namespace

std::vector<Cgroup> cgroups_of_process(std::string_view controller, const fs::path& root) {
  std::vector<Cgroup> groups;
  const fs::path mounts = root / "sys/fs/cgroup";
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:memory:/path", version 2: "0::/path"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    if (controllers.empty()) {
      std::error_code ignored;
      const bool is_unified = fs::exists(mounts / "cgroup.controllers", ignored);
      add_with_parents(is_unified ? mounts : mounts / "unified", path, true, groups);
    } else if (names(controllers, controller)) {
      const fs::path joint = mounts / controllers;  // "cpu,cpuacct", or a link to it
      add_with_parents(is_folder(joint) ? joint : mounts / controller, path, false, groups);
    }
  }
  return groups;
}

std::optional<std::uint64_t> cgroup_number(const fs::path& file) {
  std::ifstream words(file);
  std::string word;
  if (!(words >> word)) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (failure != std::errc() || rest != word.data() + word.size()) {
    return std::nullopt;  // "max", "-1"
  }
  return number;
}

std::optional<CpuQuota> cpu_quota(const fs::path& root) {
  std::optional<CpuQuota> least;
  for (const Cgroup& group : cgroups_of_process("cpu", root)) {
    const std::optional<CpuQuota> quota = quota_of(group);
    if (quota && (!least || quota->processors < least->processors)) {
      least = quota;
    }
  }
  return least;
}

}  // namespace duel
