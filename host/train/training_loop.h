// The loop around a Trainer that fills a run directory: progress, metrics, sample sheets, checkpoints.
//
// Scalars arrive from the device as they are ready, while later steps run. Sheets and checkpoints are drawn and copied
// by the device between two steps, and come to the host beside the next ones (Snapshot). Once they are there, and every
// loss up to their step was seen to be finite, a thread of their own encodes and writes them (LateWrites).
//
// What is measured on held-out rows, or of generated pictures (RunEvaluation), stands in the row of its step, which
// waits for it; the device has nothing to do meanwhile, so that no step changes the weights that are read.
//
// What goes wrong in the training (health.h) is said once, in the log, and marked in the next row of the metrics:
// "health/NAME" is 1 where it begins and 0 where it is gone.
//
// No file that cannot be written ends a run that is going on (RunFiles).
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/device/timing.h"
#include "host/run/background.h"
#include "host/run/health.h"
#include "host/run/late_writes.h"
#include "host/run/progress.h"
#include "host/run/run_directory.h"
#include "host/sample/held_out.h"
#include "host/sample/sheet_sampler.h"
#include "host/train/comparisons.h"
#include "host/train/reconstructions.h"
#include "host/train/run_evaluation.h"
#include "host/train/run_files.h"
#include "host/train/trainer.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

// Where a run begins, and what is said of it.
struct RunStart {
  bool is_new = true;                      // otherwise rows behind the step are cut off
  std::optional<std::int64_t> checkpoint;  // of the run, which is loaded
  std::string text = "new";
  std::vector<std::string> notes;  // messages of their own
};

class TrainingLoop {
public:
  // The references outlive the loop, and so do `held_out`, the rows that the recipe measures on, or none, and `judge`,
  // of the pictures that it draws, or none.
  TrainingLoop(const Options& options, const RunStart& start, Context& context, const Data& data,
               const Source* held_out, PictureJudge* judge, TrainingPlan plan, RunDirectory& run);
  ~TrainingLoop();

  // Returns the exit code as run_training() has it.
  int run();
  std::int64_t steps_done() const { return trainer_.steps_done(); }

private:
  void announce(const RunStart& start);
  bool is_due(int every, std::int64_t step) const;
  std::int64_t next_stop() const;
  void on_row(std::int64_t step, std::span<const float> values);
  void check_finite(std::int64_t step, std::span<const float> values);
  void look_at_row(std::int64_t step, std::span<const float> values);
  void look_at_sheet(std::int64_t step, std::span<const float> values);
  void note_health(std::span<const HealthNote> notes);
  ProgressState progress_state(std::int64_t step, std::span<const float> values) const;
  bool is_held_out_measured_at(std::int64_t step) const;
  bool is_evaluated_at(std::int64_t step) const;
  bool is_measured_at(std::int64_t step) const;
  bool measure();
  std::vector<NamedNumber> measure_held_out();
  void remember(const std::vector<NamedNumber>& numbers);
  void recall_measured();
  bool has_plateaued() const { return evaluation_ && evaluation_->has_plateaued(); }
  void write_metrics(std::int64_t step, std::span<const float> values, std::span<const NamedNumber> more = {});
  void take(Snapshot& snapshot, Background::Job write);
  void take_samples();
  void take_checkpoint();
  void write_sheet(std::span<const float> values, int rows, std::int64_t step, const char* suffix, const char* tag);
  void write_state(const CheckpointState& state);
  void say_warnings();
  std::string report(double seconds) const;

  Options options_;
  Context& context_;
  const Source& main_;
  const Shape picture_;  // that is learnt from, and drawn where any is: [1,H,W,C]
  RunDirectory& run_;
  Progress progress_;
  Trainer trainer_;
  std::optional<SheetSampler> average_, raw_;  // of recipes that draw pictures
  std::optional<Reconstructions> reconstructions_;
  std::optional<Comparisons> comparisons_;
  std::optional<HeldOut> held_out_;
  std::optional<RunEvaluation> evaluation_;
  std::vector<NamedNumber> measured_;  // by either, the last time
  std::vector<float> waiting_row_;     // of a step at which that is measured
  std::int64_t last_step_;
  FileDescriptor log_tail_;  // of log.txt, for a signal's handler
  std::int64_t first_step_ = 0, taken_step_ = -1;
  HealthOfRows row_health_;
  HealthOfSheets sheet_health_;        // of the background thread
  std::optional<double> data_spread_;  // the same
  std::mutex marks_mutex_;
  std::vector<NamedNumber> health_marks_;  // for the next row of metrics
  std::optional<RunFiles> files_;
  Clock::time_point begin_;
  Background background_;  // behind what its jobs use
  LateWrites writes_;
};

}  // namespace duel
