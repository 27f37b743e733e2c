// A recipe in training on one device: the networks, the rows of the data, the recorded phases, their memory, and the
// scheduler that keeps the device busy with them.
//
// Everything a step reads or writes is on the device. The state that outlives the process is the parameters, the
// optimiser's moments, averages, what else the recipe keeps, and the number of steps: noise and the order of the rows
// are functions of seed and step.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/device/device_queue.h"
#include "host/device/launch_tuner.h"
#include "host/device/snapshot.h"
#include "host/device/step_scheduler.h"
#include "host/device/upload_ring.h"
#include "host/recipes/step_memory.h"
#include "host/run/checkpoint.h"
#include "host/sample/sampler.h"
#include "host/train/training_plan.h"
#include "kernels/memory.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace duel {

// Which rows they are, of all sources.
std::string fingerprint_of(const Data& data);

class Trainer {
public:
  // Draws the starting weights. Throws as plan_trainable() does. Context and data outlive the trainer.
  Trainer(Context& context, const Options& options, const Data& data, bool fused = true);
  // As planned for the same context, options and data.
  Trainer(Context& context, const Options& options, const Data& data, TrainingPlan plan);
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Called with the scalars of each step, in the order of metric_names(): in time, but late. It may throw.
  void on_row(StepScheduler::OnRow on_row) { on_row_ = std::move(on_row); }

  // Called once with what was measured and chosen, where options.schedule leaves something to be.
  void on_tuned(std::function<void(const std::string&)> on_tuned) { on_tuned_ = std::move(on_tuned); }

  // Queues steps until so many have been, or until `stop`, asked now and then, is true. See StepScheduler.
  void run_to(std::int64_t steps_done, const std::function<bool()>& stop = {});
  void drain();  // waits for what was queued; every row has come then
  void step() { run_to(steps_done() + 1); }
  std::int64_t steps_done() const { return scheduler_ ? scheduler_->steps_launched() : first_step_; }  // or queued

  // Scalars of the newest step; waits for it.
  const std::vector<std::string>& metric_names() const { return memory_.metrics(); }
  // Whether a row has the metric: phases that do not run at every step measure only where they run. `steps_done` counts
  // the row's step.
  bool has_metric(std::int64_t steps_done, std::size_t metric) const {
    return memory_.has_metric(steps_done - 1, metric);
  }
  const std::vector<float>& read_metrics();

  // Takes the device memory that lets steps go on while a snapshot is downloaded, where there is a use for it and room
  // (memory_check.h); without it they wait. To be called once all else is allocated, if at all.
  enum class SnapshotRoom { reserved, not_needed, lacking };
  SnapshotRoom reserve_snapshot();
  // Of the state; begin() takes it as the steps queued so far leave it. What write_checkpoint() wants beside its bytes:
  // blocks() and state(), asked for when it is begun. save() does it all, and waits.
  Snapshot& snapshot();
  CheckpointState state() const;
  const std::vector<SavedBlock>& blocks() const { return blocks_; }
  void save(const std::filesystem::path& folder);
  // Throws kind `data` where the checkpoint is of another recipe, architecture or data, truncated or corrupted, and
  // then leaves the trainer as it was.
  void load(const std::filesystem::path& folder);
  // Of a run that begins: the weights that its recipe takes from other runs. Throws kind `data`, naming the run.
  void load_pretrained();

  MemoryUse memory_use();
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  bool streams_pictures() const { return batches_.is_streamed(); }
  int steps_per_launch() const { return steps_per_launch_; }                           // 0: still being measured
  int lanes() const { return lanes_; }                                                 // the same
  double waited_seconds() const { return uploads_ ? uploads_->waited_seconds() : 0; }  // for pictures to stream
  const Recipe& recipe() const { return *recipe_; }
  const Networks& networks() const { return networks_; }
  SamplingModel sampling() const { return {sampling_, networks_, memory_.storage()}; }
  DeviceQueue& queue() { return *queue_; }
  Context& context() { return context_; }
  const std::vector<StepPhase>& phases() const { return memory_.phases(); }
  const StepMemory& memory() const { return memory_; }

private:
  Storage allocate();
  DeviceQueue::Work add_work(int lanes);
  DeviceQueue::Work work_on(int lanes) const { return lanes == 1 ? work_ : work_on_lanes_; }
  void start_schedule();
  void stop_schedule();
  void tune(std::int64_t steps_done, const std::function<bool()>& stop);

  Context& context_;
  Options options_;
  std::unique_ptr<Recipe> recipe_;
  Networks networks_;
  Sampling sampling_;
  BatchPlan batches_;
  std::string fingerprint_;
  Fields fields_;
  std::int64_t steps_per_epoch_;
  Buffer rows_;
  int planned_lanes_;  // steps may also run on one lane
  StepMemory memory_;
  std::vector<SavedBlock> blocks_;

  std::vector<float> metrics_;
  StepScheduler::OnRow on_row_;
  std::unique_ptr<DeviceQueue> queue_;
  DeviceQueue::Work work_, work_on_lanes_;
  int steps_per_launch_, lanes_;
  std::function<void(const std::string&)> on_tuned_;
  std::optional<LaunchTuner> tuner_;
  std::optional<UploadRing> uploads_;
  std::optional<StepScheduler> scheduler_;
  Buffer stage_;  // of the snapshot, or nothing
  std::optional<Snapshot> snapshot_;
  std::int64_t first_step_ = 0;  // where there is no scheduler yet
};

}  // namespace duel
