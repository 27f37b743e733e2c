#include "host/run_directory.h"

#include "kernels/check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace duel {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = ".lock";
constexpr const char* kLatest = "latest";
constexpr std::string_view kStep = "step_";

std::string step_name(std::int64_t step) {
  return fmt::format("{}{:09}", kStep, step);
}

std::optional<std::int64_t> step_of(std::string_view name) {
  std::int64_t step = 0;
  if (!name.starts_with(kStep)) {
    return std::nullopt;
  }
  const auto [end, failure] = std::from_chars(name.data() + kStep.size(), name.data() + name.size(), step);
  if (failure != std::errc() || step < 0 || step_name(step) != name) {
    return std::nullopt;
  }
  return step;
}

// Names in a folder, sorted; none where the folder does not exist.
std::vector<std::string> list_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    names.push_back(entry->path().filename().string());
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    throw_error(Error::Kind::data, "{}: cannot be listed: {}", folder.string(), failure.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Refuses a folder that a new run would mix with something. A lock alone is what a failed start leaves.
void check_is_vacant(const RunDirectory& run) {
  const std::string path = run.path().string();
  std::error_code failure;
  const fs::file_status status = fs::status(run.path(), failure);
  if (!fs::exists(status)) {
    return;
  }
  if (!fs::is_directory(status)) {
    throw_error(Error::Kind::usage, "{}: is a file, so it cannot become a run directory; name another --out", path);
  }
  if (fs::exists(run.config_path(), failure)) {
    const auto latest = run.latest_checkpoint();
    throw_error(Error::Kind::usage,
                "{}: holds a run already ({}); continue it with --resume, or start a new one in another --out", path,
                latest ? fmt::format("its latest checkpoint is of step {}", *latest) : "without a checkpoint");
  }
  std::vector<std::string> names = list_names(run.path());
  std::erase(names, kLock);
  if (!names.empty()) {
    throw_error(Error::Kind::usage, "{}: is not empty ({}{}); name another --out for a new run", path, names[0],
                names.size() == 1 ? "" : fmt::format(" and {} more", names.size() - 1));
  }
}

}  // namespace

RunDirectory RunDirectory::create(const fs::path& path, std::string_view config_toml) {
  RunDirectory run(path);
  check_is_vacant(run);
  create_folder(path);
  run.lock();
  check_is_vacant(run);  // again: another process may have been faster
  create_folder(run.samples_path());
  create_folder(run.checkpoints_path());
  write_file_atomically(run.config_path(), config_toml);
  return run;
}

RunDirectory RunDirectory::open_for_training(const fs::path& path) {
  RunDirectory run(path);
  run.check_is_run();
  run.lock();
  run.remove_unfinished();
  create_folder(run.samples_path());
  create_folder(run.checkpoints_path());
  return run;
}

RunDirectory RunDirectory::open_for_reading(const fs::path& path) {
  RunDirectory run(path);
  run.check_is_run();
  return run;
}

fs::path RunDirectory::sample_path(std::int64_t step) const {
  return samples_path() / (step_name(step) + ".png");
}

fs::path RunDirectory::checkpoint_path(std::int64_t step) const {
  return checkpoints_path() / step_name(step);
}

std::string RunDirectory::read_config() const {
  return read_text_file(config_path());
}

std::vector<std::int64_t> RunDirectory::checkpoints() const {
  std::vector<std::int64_t> steps;
  for (const std::string& name : list_names(checkpoints_path())) {
    std::error_code failure;
    if (const auto step = step_of(name); step && fs::is_directory(checkpoints_path() / name, failure)) {
      steps.push_back(*step);
    }
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::optional<std::int64_t> RunDirectory::latest_checkpoint() const {
  const std::vector<std::int64_t> steps = checkpoints();
  if (steps.empty()) {
    return std::nullopt;
  }
  std::error_code failure;
  if (fs::is_regular_file(checkpoints_path() / kLatest, failure)) {
    std::string name = read_text_file(checkpoints_path() / kLatest);
    name.erase(name.find_last_not_of(" \r\n") + 1);
    if (const auto step = step_of(name); step && std::binary_search(steps.begin(), steps.end(), *step)) {
      return step;
    }
  }
  return steps.back();
}

std::int64_t RunDirectory::require_latest_checkpoint() const {
  const auto latest = latest_checkpoint();
  if (!latest) {
    throw_error(Error::Kind::data, "{}: has no checkpoint yet, so there is no network to take", path_.string());
  }
  return *latest;
}

AtomicFolder RunDirectory::begin_checkpoint(std::int64_t step) const {
  return AtomicFolder(checkpoint_path(step));
}

void RunDirectory::publish_checkpoint(AtomicFolder checkpoint, int keep_last, int keep_every) const {
  checkpoint.publish();
  write_file_atomically(checkpoints_path() / kLatest, checkpoint.final_path().filename().string() + "\n");
  prune_checkpoints(keep_last, keep_every);
}

void RunDirectory::prune_checkpoints(int keep_last, int keep_every) const {
  const auto latest = latest_checkpoint();
  if (keep_last <= 0 || !latest) {
    return;
  }
  std::vector<std::int64_t> steps = checkpoints();
  std::erase_if(steps, [&](std::int64_t step) { return step > *latest; });
  const std::size_t keep = std::min(steps.size(), static_cast<std::size_t>(keep_last));
  steps.resize(steps.size() - keep);  // `latest` is the last one, so it is among those kept
  for (const std::int64_t step : steps) {
    if (keep_every <= 0 || step % keep_every != 0) {
      remove_folder_atomically(checkpoint_path(step));
    }
  }
}

void RunDirectory::lock() {
  lock_ = open_file(path_ / kLock, O_RDWR | O_CREAT);
  while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      const std::string owner = read_text_file(path_ / kLock);
      throw_error(Error::Kind::data, "{}: another process ({}) trains into this run directory; wait until it has ended",
                  path_.string(), owner.empty() ? "of unknown number" : owner);
    }
    if (errno != EINTR) {
      throw_error(Error::Kind::data, "{}: cannot be locked against a second process: {}", (path_ / kLock).string(),
                  error_text(errno));
    }
  }
  // Who holds it, for the message above. The file stays when the lock is released: removing it would let a process
  // that has opened it lock a file that nobody sees any more.
  const std::string owner = fmt::format("pid {}", ::getpid());
  if (::ftruncate(lock_.get(), 0) == 0) {
    write_all(lock_, std::as_bytes(std::span(owner)), path_ / kLock);
  }
}

void RunDirectory::check_is_run() const {
  std::error_code failure;
  if (!fs::exists(path_, failure)) {
    throw_error(Error::Kind::data, "{}: there is no such run directory{}", path_.string(),
                failure ? ": " + failure.message() : "");
  }
  if (!fs::is_regular_file(config_path(), failure)) {
    throw_error(Error::Kind::data, "{}: is not a run directory, because it has no config.toml", path_.string());
  }
}

// Safe because the lock is held: no living process writes here.
void RunDirectory::remove_unfinished() const {
  for (const fs::path& folder : {path_, samples_path(), checkpoints_path()}) {
    for (const std::string& name : list_names(folder)) {
      std::error_code failure;
      if (is_temporary_name(name) && (fs::remove_all(folder / name, failure), failure)) {
        throw_error(Error::Kind::data, "{}: is left from an interrupted write and cannot be removed: {}",
                    (folder / name).string(), failure.message());
      }
    }
  }
}

}  // namespace duel
