// The folder that one training run lives in, and the only place that knows its names.
//
//   config.toml                          as resolved; a folder is a run exactly if it has this file
//   metrics.jsonl  log.txt               beside them the TensorBoard event files
//   samples/step_000000500.png
//   checkpoints/step_000000500/          whole by construction: published by renaming; its own config.toml too
//   checkpoints/latest                   a text file with the name of one of them
//   checkpoints/best                     a text file like it, of runs that keep their best
//   .lock                                held (flock) while a process trains into the folder; names it
//
// `latest` is a file, not a symbolic link: network drives, zip files and Windows lose links. It is replaced
// atomically after the checkpoint it names is in place. Should it be missing or name a checkpoint that somebody has
// removed, the newest one counts. Errors are of kind `data`, but create() complains with kind `usage`.
#pragma once

#include "host/files/atomic_file.h"
#include "host/files/file_descriptor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

class RunDirectory {
public:
  static bool is_run(const std::filesystem::path& path);
  // A new run in a folder that does not exist, is empty, or holds what a start has left that failed or was killed.
  // Takes the lock.
  static RunDirectory create(const std::filesystem::path& path, std::string_view config_toml);
  // The same in two parts, for what must be there before the folder is a run.
  static RunDirectory reserve(const std::filesystem::path& path);
  void write_config(std::string_view config_toml) const;
  // Throws where a new run could not begin there: another run, other files, no right to write. Leaves nothing behind.
  static void check_can_create(const std::filesystem::path& path);
  // An existing run to be continued. Takes the lock and removes what a killed process left unfinished.
  static RunDirectory open_for_training(const std::filesystem::path& path);
  // An existing run to be looked at, also while another process trains into it.
  static RunDirectory open_for_reading(const std::filesystem::path& path);

  // What is left of a run, perhaps without its config.toml. Throws where the folder has nothing of one.
  static RunDirectory open_remains(const std::filesystem::path& path);

  // Whether a process trains into it now. Where the file system has no locks: false, unless the lock names a living
  // one.
  bool is_being_trained() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config_path() const { return path_ / "config.toml"; }
  std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path log_path() const { return path_ / "log.txt"; }
  std::filesystem::path samples_path() const { return path_ / "samples"; }
  std::filesystem::path sample_path(std::int64_t step) const;
  std::filesystem::path checkpoints_path() const { return path_ / "checkpoints"; }
  std::filesystem::path checkpoint_path(std::int64_t step) const;
  std::string read_config() const;
  // The configuration that a checkpoint was made with; the run's, where it has none of its own.
  std::filesystem::path config_path(const std::filesystem::path& checkpoint) const;
  std::filesystem::path config_path(std::int64_t step) const { return config_path(checkpoint_path(step)); }

  std::vector<std::int64_t> checkpoints() const;          // steps, ascending
  std::optional<std::int64_t> latest_checkpoint() const;  // nothing where there is none yet
  std::int64_t require_latest_checkpoint() const;         // throws where there is none yet

  // Write the files into path() of what this returns, then hand it to publish_checkpoint(), which brings them to
  // disk, puts them in place, moves `latest` and prunes. Dropped instead, it leaves nothing behind.
  AtomicFolder begin_checkpoint(std::int64_t step) const;
  void publish_checkpoint(AtomicFolder checkpoint, int keep_last, int keep_every) const;

  // The checkpoint that `best` names; nothing where there is no such file or checkpoint.
  std::optional<std::int64_t> best_checkpoint() const;
  std::int64_t require_best_checkpoint() const;  // throws where there is none
  // Names it, once it is in place, or none; what was named before is then pruned like others.
  void set_best(std::optional<std::int64_t> step) const;

  // Keeps the newest `keep_last` checkpoints (0: all), those of steps that `keep_every` divides (0: none), and those
  // that `latest` and `best` name. Steps beyond it stay: they belong to a future from before somebody moved `latest`.
  void prune_checkpoints(int keep_last, int keep_every) const;

  // Moves `latest`: the training goes on there.
  void set_latest(std::int64_t step) const;

  // Makes again what somebody has removed while the run goes on. Returns a sentence for each thing.
  std::vector<std::string> restore(std::string_view config_toml);

  // What a person should know of how the folder was opened, as that its file system has no locks.
  const std::vector<std::string>& warnings() const { return warnings_; }

private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  void lock();
  [[noreturn]] void throw_is_running() const;
  void check_is_run() const;
  void remove_unfinished() const;
  void write_latest(const std::string& name) const;
  std::optional<std::int64_t> named_checkpoint(const char* file, const std::vector<std::int64_t>& steps) const;

  std::filesystem::path path_;
  FileDescriptor lock_;
  std::vector<std::string> warnings_;
};

}  // namespace duel
