#include "host/run/run_directory.h"

#include "kernels/check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace duel {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = ".lock";
constexpr const char* kLatest = "latest";
constexpr const char* kBest = "best";
constexpr const char* kSamples = "samples";
constexpr const char* kCheckpoints = "checkpoints";
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

bool is_there(const fs::path& path) {
  std::error_code failure;
  return fs::exists(path, failure);
}

std::string host_name() {
  char name[256] = "an unknown host";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string owner_text(pid_t process) {
  return fmt::format("pid {} on {}", process, host_name());
}

// Whether `owner` is a living process of this machine with this program's name: where there are no locks, the best that
// can be known.
bool is_living(const std::string& owner) {
  int process = 0;
  if (std::sscanf(owner.c_str(), "pid %d on ", &process) != 1 || process == ::getpid() ||
      owner != owner_text(process)) {
    return false;
  }
  const auto name_of = [](const std::string& number) {
    try {
      return read_text_file("/proc/" + number + "/comm");
    } catch (const Error&) {
      return std::string();
    }
  };
  const std::string name = name_of(std::to_string(process));
  return !name.empty() && name == name_of("self");
}

// What a start that failed or was killed leaves: folders without content, and the first checkpoint of a run that was to
// begin with the weights of another, before it had a config.toml.
bool is_left_from_a_start(const RunDirectory& run, const std::string& name) {
  if (name == kLock || (is_temporary_name(name) && name.starts_with("config.toml"))) {
    return true;
  }
  std::error_code failure;
  if (!fs::is_directory(run.path() / name, failure) || (name != kSamples && name != kCheckpoints)) {
    return false;
  }
  const std::vector<std::string> inner = list_names(run.path() / name);
  return std::all_of(inner.begin(), inner.end(), [&](const std::string& entry) {
    return is_temporary_name(entry) || (name == kCheckpoints && (entry == kLatest || entry == step_name(0)));
  });
}

// Refuses a folder that a new run would mix with something.
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
  std::erase_if(names, [&](const std::string& name) { return is_left_from_a_start(run, name); });
  if (!names.empty()) {
    throw_error(Error::Kind::usage, "{}: is not empty ({}{}); name another --out for a new run", path, names[0],
                names.size() == 1 ? "" : fmt::format(" and {} more", names.size() - 1));
  }
}

}  // namespace

bool RunDirectory::is_run(const fs::path& path) {
  std::error_code failure;
  return fs::is_regular_file(RunDirectory(path).config_path(), failure);
}

RunDirectory RunDirectory::create(const fs::path& path, std::string_view config_toml) {
  RunDirectory run = reserve(path);
  run.write_config(config_toml);
  return run;
}

RunDirectory RunDirectory::reserve(const fs::path& path) {
  RunDirectory run(path);
  if (is_run(path)) {
    run.lock();  // one that is being trained is said to be
  }
  check_is_vacant(run);
  create_folder(path);
  run.lock();
  check_is_vacant(run);  // again: another process may have been faster
  for (const fs::path& folder : {run.samples_path(), run.checkpoints_path()}) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);  // nothing but what a failed start has left is in them
    create_folder(folder);
  }
  run.remove_unfinished();
  return run;
}

void RunDirectory::write_config(std::string_view config_toml) const {
  write_file_atomically(config_path(), config_toml);
}

void RunDirectory::check_can_create(const fs::path& path) {
  if (is_run(path)) {
    open_for_training(path);  // says so where it is being trained
  }
  check_is_vacant(RunDirectory(path));
  fs::path existing = path;
  while (!is_there(existing)) {
    existing = existing.has_relative_path() && existing.has_parent_path() ? existing.parent_path() : fs::path(".");
  }
  std::string probe = (existing / ".duel-XXXXXX").string();
  const FileDescriptor file(::mkstemp(probe.data()));
  if (!file) {
    throw_error(Error::Kind::data, "{}: no run can be written there: {}: {}", path.string(), existing.string(),
                error_text(errno));
  }
  ::unlink(probe.c_str());
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

RunDirectory RunDirectory::open_remains(const fs::path& path) {
  RunDirectory run(path);
  const bool has_any = is_there(run.config_path()) || is_there(run.metrics_path()) || is_there(run.log_path()) ||
                       is_there(run.samples_path()) || is_there(run.checkpoints_path());
  if (!has_any) {
    run.check_is_run();
  }
  return run;
}

bool RunDirectory::is_being_trained() const {
  FileDescriptor lock;
  try {
    lock = open_file(path_ / kLock, O_RDONLY);
  } catch (const Error&) {
    return false;
  }
  // A shared lock, for a moment: there is no way to ask without taking one.
  if (::flock(lock.get(), LOCK_SH | LOCK_NB) == 0) {
    ::flock(lock.get(), LOCK_UN);
    return false;
  }
  return errno == EWOULDBLOCK || is_living(read_text_file(path_ / kLock));
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

fs::path RunDirectory::config_path(const fs::path& checkpoint) const {
  const fs::path own = checkpoint / config_path().filename();
  return is_there(own) ? own : config_path();
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
  const std::optional<std::int64_t> named = named_checkpoint(kLatest, steps);
  return named ? named : steps.back();
}

std::optional<std::int64_t> RunDirectory::named_checkpoint(const char* file,
                                                           const std::vector<std::int64_t>& steps) const {
  std::error_code failure;
  if (!fs::is_regular_file(checkpoints_path() / file, failure)) {
    return std::nullopt;
  }
  std::string name = read_text_file(checkpoints_path() / file);
  name.erase(name.find_last_not_of(" \r\n") + 1);
  const std::optional<std::int64_t> step = step_of(name);
  return step && std::binary_search(steps.begin(), steps.end(), *step) ? step : std::nullopt;
}

std::optional<std::int64_t> RunDirectory::best_checkpoint() const {
  return named_checkpoint(kBest, checkpoints());
}

std::int64_t RunDirectory::require_best_checkpoint() const {
  const auto best = best_checkpoint();
  if (!best) {
    throw_error(Error::Kind::data,
                "{}: has no best checkpoint: `duel train --evaluate-every N --keep-best kid` keeps one",
                path_.string());
  }
  return *best;
}

void RunDirectory::set_best(std::optional<std::int64_t> step) const {
  if (step) {
    write_file_atomically(checkpoints_path() / kBest, step_name(*step) + "\n");
    return;
  }
  std::error_code failure;
  if (fs::remove(checkpoints_path() / kBest, failure); failure) {
    throw_error(Error::Kind::data, "{}: cannot be removed: {}", (checkpoints_path() / kBest).string(),
                failure.message());
  }
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
  write_latest(checkpoint.final_path().filename().string());
  prune_checkpoints(keep_last, keep_every);
}

void RunDirectory::set_latest(std::int64_t step) const {
  write_latest(step_name(step));
}

void RunDirectory::write_latest(const std::string& name) const {
  write_file_atomically(checkpoints_path() / kLatest, name + "\n");
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
  const std::optional<std::int64_t> best = best_checkpoint();
  for (const std::int64_t step : steps) {
    if (step == best) {
      continue;
    }
    if (keep_every <= 0 || step % keep_every != 0) {
      remove_folder_atomically(checkpoint_path(step));
    }
  }
}

void RunDirectory::lock() {
  if (lock_) {
    return;
  }
  lock_ = open_file(path_ / kLock, O_RDWR | O_CREAT);
  while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      throw_is_running();
    }
    if (errno == EINTR) {
      continue;
    }
    // Lustre without -o flock, EFS and others: one can train there, only not be kept from doing it twice.
    const int reason = errno;
    if (is_living(read_text_file(path_ / kLock))) {
      throw_is_running();
    }
    warnings_.push_back(fmt::format(
        "{}: this file system has no locks ({}), so nothing keeps a second process from training into the same run",
        (path_ / kLock).string(), error_text(reason)));
    break;
  }
  // Who holds it, for the message. The file stays when the lock is released: removing it would let a process
  // that has opened it lock a file that nobody sees any more. A full disk may lose the name; the lock holds without.
  const std::string owner = owner_text(::getpid());
  if (::ftruncate(lock_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(lock_.get(), owner.data(), owner.size(), 0);
  }
}

void RunDirectory::throw_is_running() const {
  const std::string owner = read_text_file(path_ / kLock);
  throw_error(Error::Kind::data,
              "{}: is running: another process ({}) trains into this run directory; wait until it has ended",
              path_.string(), owner.empty() ? "of unknown number" : owner);
}

std::vector<std::string> RunDirectory::restore(std::string_view config_toml) {
  std::vector<std::string> made;
  for (const fs::path& folder : {path_, samples_path(), checkpoints_path()}) {
    if (!is_there(folder)) {
      create_folder(folder);
      made.push_back(fmt::format("{}: had vanished, and is made again", folder.string()));
    }
  }
  if (!is_there(config_path())) {
    write_config(config_toml);
    made.push_back(fmt::format("{}: had vanished, and is written again", config_path().string()));
  }
  if (lock_ && !is_there(path_ / kLock)) {
    lock_ = FileDescriptor();
    lock();
  }
  return made;
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
