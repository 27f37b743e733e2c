// The loop around a Trainer that fills a run directory: progress, metrics, sample sheets, checkpoints.
//
// Scalars arrive from the device as they are ready, while later steps run. Sheets and checkpoints are drawn and copied
// by the device between two steps, and come to the host beside the next ones (Snapshot). Once they are there, and every
// loss up to their step was seen to be finite, a thread of their own encodes and writes them (LateWrites).
#pragma once

#include "host/background.h"
#include "host/dataset.h"
#include "host/event_log.h"
#include "host/late_writes.h"
#include "host/metrics_log.h"
#include "host/options.h"
#include "host/progress.h"
#include "host/run_directory.h"
#include "host/sheet_sampler.h"
#include "host/timing.h"
#include "host/trainer.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace duel {

class TrainingLoop {
public:
  // `resume`: continue at the run's latest checkpoint. The references outlive the loop.
  TrainingLoop(const Options& options, bool resume, Context& context, const Dataset& dataset, RunDirectory& run);

  // As run_training().
  int run();

private:
  void announce(std::optional<std::int64_t> resumed_at);
  bool is_due(int every, std::int64_t step) const;
  std::int64_t next_stop() const;
  void on_row(std::int64_t step, std::span<const float> values);
  void check_finite(std::int64_t step, std::span<const float> values);
  ProgressState progress_state(std::int64_t step, std::span<const float> values) const;
  void write_metrics(std::int64_t step, std::span<const float> values);
  void take(Snapshot& snapshot, Background::Job write);
  void take_samples();
  void take_checkpoint();
  void write_sheet(std::span<const std::byte> pictures, std::int64_t step, const char* suffix, const char* tag);
  void write_state(const CheckpointState& state);
  std::string report(double seconds) const;

  Options options_;
  Context& context_;
  const Dataset& dataset_;
  RunDirectory& run_;
  Progress progress_;
  Trainer trainer_;
  SheetSampler average_, raw_;
  std::int64_t last_step_;
  std::int64_t first_step_ = 0, saved_step_ = -1;
  std::mutex logs_mutex_;  // of the two logs, which the background thread writes too
  std::optional<MetricsLog> metrics_;
  std::optional<EventLog> events_;
  Clock::time_point begin_;
  Background background_;  // behind what its jobs use
  LateWrites writes_;
};

}  // namespace duel
