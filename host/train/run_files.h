// What a training leaves in its run directory: rows of metrics.jsonl, TensorBoard's events, sample sheets, checkpoints.
//
// No file that cannot be written ends a run that is going on. What was removed is made again; a sheet, a row or a line
// is missed with a warning, once for each kind; a checkpoint is tried again when the next one is due. Only where the
// last one cannot be written either does the run end with an error (require_saved).
//
// The training's thread and the one that writes behind it may call at once; warnings are kept until somebody takes
// them.
#pragma once

#include "host/config/options.h"
#include "host/pictures/png.h"
#include "host/run/checkpoint.h"
#include "host/run/event_log.h"
#include "host/run/metrics_log.h"
#include "host/run/run_directory.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace duel {

class RunFiles {
public:
  // `config` is the text of config.toml; a resumed run cuts off its rows behind `resumed_at`. `run` outlives this.
  RunFiles(RunDirectory& run, std::string config, const Options::Output& output,
           std::optional<std::int64_t> resumed_at);

  RunDirectory& run() { return run_; }
  const std::string& config() const { return config_; }
  // Those that a resumed run keeps.
  const std::vector<MetricsRow>& kept_rows() const { return metrics_.kept(); }

  // `seconds` since this process began to train.
  void add_row(std::int64_t step, std::int64_t epoch, double seconds, std::span<const Metric> row);
  void flush_if_due();
  void sync_rows();
  // `suffix` of its file's name, `tag` of TensorBoard's picture.
  void write_sheet(const Picture& sheet, std::int64_t step, const char* suffix, const char* tag);

  // `bytes` as write_checkpoint() takes them. Returns false, with a warning, where it cannot be written now. The oldest
  // checkpoints go by prune(), or before where there is no room otherwise.
  bool save(const std::vector<SavedBlock>& blocks, std::span<const std::byte> bytes, const CheckpointState& state);
  void prune();
  void note_saved(std::int64_t step) { saved_step_ = step; }  // by somebody else, before this run went on
  std::int64_t saved_step() const { return saved_step_; }     // of the newest checkpoint in place; -1: there is none
  // Throws kind `data` unless the newest checkpoint is of `step`, where training stopped.
  void require_saved(std::int64_t step) const;

  // To be shown by the training's thread, each beginning with "warning: ".
  void warn(const std::string& text);
  void warn_once(const std::string& kind, const std::string& reason);
  std::vector<std::string> take_warnings();

private:
  void restore();
  void try_logs(const char* kind, const std::function<void()>& write);
  void write_checkpoint_files(const std::vector<SavedBlock>& blocks, std::span<const std::byte> bytes,
                              const CheckpointState& state);

  RunDirectory& run_;
  const std::string config_;
  const Options::Output output_;
  mutable std::mutex warnings_mutex_;
  std::vector<std::string> warnings_;
  std::set<std::string> warned_;
  std::string checkpoint_fault_;  // of the last one that could not be written
  std::atomic<std::int64_t> saved_step_ = -1;
  std::mutex logs_mutex_;  // of the two logs
  MetricsLog metrics_;
  std::optional<EventLog> events_;
};

}  // namespace duel
