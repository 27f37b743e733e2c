// The loop around a Trainer that fills a run directory: progress, metrics, sample sheets, checkpoints.
//
// Scalars arrive from the device as they are ready, while later steps run. Sheets and checkpoints are drawn and copied
// to the host between two steps, once every loss up to there was seen to be finite; a thread of their own encodes and
// writes them while the training goes on.
#pragma once

#include "host/background.h"
#include "host/dataset.h"
#include "host/event_log.h"
#include "host/metrics_log.h"
#include "host/options.h"
#include "host/progress.h"
#include "host/run_directory.h"
#include "host/sampler.h"
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
  void write_samples();
  void write_sheet(Sampler& sampler, std::int64_t step, const char* suffix, const char* tag);
  void save_checkpoint();
  std::string report(double seconds) const;

  Options options_;
  Context& context_;
  const Dataset& dataset_;
  RunDirectory& run_;
  Progress progress_;
  Trainer trainer_;
  Sampler average_, raw_;
  std::int64_t last_step_;
  std::int64_t first_step_ = 0, saved_step_ = -1;
  std::mutex logs_mutex_;  // of the two logs, which the background thread writes too
  std::optional<MetricsLog> metrics_;
  std::optional<EventLog> events_;
  Clock::time_point begin_;
  Background background_;  // last: its jobs use the others
};

}  // namespace duel
