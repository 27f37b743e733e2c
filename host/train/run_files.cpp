#include "host/train/run_files.h"

#include "host/files/atomic_file.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace duel {

namespace {

constexpr const char* kMetricRows = "rows of metrics.jsonl";
constexpr const char* kEventFiles = "TensorBoard's events";

}  // namespace

RunFiles::RunFiles(RunDirectory& run, std::string config, const Options::Output& output,
                   std::optional<std::int64_t> resumed_at)
    : run_(run), config_(std::move(config)), output_(output), metrics_(run.metrics_path(), resumed_at) {
  events_.emplace(run_.path(), resumed_at, metrics_.kept());
  for (const std::string& warning : run_.warnings()) {
    warn(warning);
  }
  for (const std::string& warning : metrics_.take_warnings()) {
    warn(warning);
  }
}

void RunFiles::warn(const std::string& text) {
  const std::lock_guard lock(warnings_mutex_);
  warnings_.push_back(fmt::format("warning: {}", text));
}

void RunFiles::warn_once(const std::string& kind, const std::string& reason) {
  const std::lock_guard lock(warnings_mutex_);
  if (warned_.insert(kind).second) {
    warnings_.push_back(fmt::format("warning: {} cannot be written, and training goes on: {}", kind, reason));
  }
}

std::vector<std::string> RunFiles::take_warnings() {
  const std::lock_guard lock(warnings_mutex_);
  return std::exchange(warnings_, {});
}

void RunFiles::try_logs(const char* kind, const std::function<void()>& write) {
  const std::lock_guard lock(logs_mutex_);
  try {
    write();
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::data) {
      throw;
    }
    warn_once(kind, error.what());
  }
  for (const std::string& warning : metrics_.take_warnings()) {
    warn(warning);
  }
}

void RunFiles::add_row(std::int64_t step, std::int64_t epoch, double seconds, std::span<const Metric> row) {
  try_logs(kEventFiles, [&] {
    for (const Metric& metric : row) {
      events_->scalar(metric.name, step, metric.value);
    }
  });
  try_logs(kMetricRows, [&] { metrics_.append(step, epoch, seconds, row); });
}

void RunFiles::flush_if_due() {
  const std::lock_guard lock(logs_mutex_);
  events_->flush_if_due();
}

void RunFiles::sync_rows() {
  try_logs(kMetricRows, [&] { metrics_.sync(); });
}

void RunFiles::write_sheet(const Picture& sheet, std::int64_t step, const char* suffix, const char* tag) {
  const std::vector<std::uint8_t> png = encode_png(sheet);
  const std::filesystem::path path = run_.sample_path(step);
  try {
    restore();
    write_file_atomically(path.parent_path() / (path.stem().string() + suffix + ".png"), std::as_bytes(std::span(png)));
  } catch (const Error& error) {
    warn_once("sample sheets", error.what());
  }
  try_logs(kEventFiles, [&] {
    events_->image(tag, step, std::as_bytes(std::span(png)), sheet.height, sheet.width, sheet.channels);
    events_->flush();
  });
}

void RunFiles::restore() {
  for (const std::string& made : run_.restore(config_)) {
    warn(made);
  }
  const std::lock_guard lock(logs_mutex_);
  std::error_code ignored;
  if (!std::filesystem::exists(events_->path(), ignored)) {
    warn(fmt::format("{}: had vanished; TensorBoard's events go on in a new file", events_->path().string()));
    events_.emplace(run_.path());
  }
}

// A disk that is full now may have room when the next checkpoint is due.
bool RunFiles::save(const std::vector<SavedBlock>& blocks, std::span<const std::byte> bytes,
                    const CheckpointState& state) {
  try {
    try {
      write_checkpoint_files(blocks, bytes, state);
    } catch (const Error&) {
      // Perhaps there is room without the oldest, which would have gone behind this one.
      const std::size_t before = run_.checkpoints().size();
      if (output_.keep_last > 1) {
        run_.prune_checkpoints(output_.keep_last - 1, output_.keep_every);
      }
      if (run_.checkpoints().size() == before) {
        throw;
      }
      write_checkpoint_files(blocks, bytes, state);
    }
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::data) {
      throw;
    }
    checkpoint_fault_ = error.what();
    warn(fmt::format("the checkpoint of step {} cannot be written, and is tried again when the next is due: {}",
                     state.step, error.what()));
    return false;
  }
  saved_step_ = state.step;
  return true;
}

void RunFiles::prune() {
  try {
    run_.prune_checkpoints(output_.keep_last, output_.keep_every);
  } catch (const Error& error) {
    warn_once("the removal of old checkpoints", error.what());
  }
}

void RunFiles::require_saved(std::int64_t step) const {
  const std::int64_t saved = saved_step_;
  if (saved == step) {
    return;
  }
  throw_error(Error::Kind::data, "{}; training stopped at step {}, and {}; make room and continue with --resume",
              checkpoint_fault_, step,
              saved < 0 ? "there is no checkpoint yet" : fmt::format("its last checkpoint is of step {}", saved));
}

void RunFiles::write_checkpoint_files(const std::vector<SavedBlock>& blocks, std::span<const std::byte> bytes,
                                      const CheckpointState& state) {
  restore();
  bool lacks_room = false;
  try_logs(kMetricRows, [&] {
    try {
      metrics_.sync();
    } catch (const Error&) {
      lacks_room = metrics_.lacks_room();
      throw;
    }
  });
  try_logs(kEventFiles, [&] { events_->flush(); });
  if (lacks_room) {  // a resume there would lack rows for ever
    throw_error(Error::Kind::data, "{}: there is no room for the rows up to step {}", run_.metrics_path().string(),
                state.step);
  }
  AtomicFolder folder = run_.begin_checkpoint(state.step);
  write_checkpoint(blocks, bytes, state, folder.path());
  write_file_atomically(folder.path() / run_.config_path().filename(), config_);
  constexpr int kAll = 0;  // pruned by the caller, for whom it is no fault of this checkpoint
  run_.publish_checkpoint(std::move(folder), kAll, 0);
}

}  // namespace duel
