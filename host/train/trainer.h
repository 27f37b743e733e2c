// A GAN in training on one device: the networks, the pictures, the two recorded phases, their memory, and the scheduler
// that keeps the device busy with them.
//
// Everything a step reads or writes is on the device. The state that outlives the process is the parameters, the
// optimiser's moments, the average and the number of steps: noise and the order of the pictures are functions of seed
// and step.
#pragma once

#include "engine/nn/network.h"
#include "engine/program/execution.h"
#include "host/config/options.h"
#include "host/data/source.h"
#include "host/device/device_queue.h"
#include "host/device/launch_tuner.h"
#include "host/device/snapshot.h"
#include "host/device/step_scheduler.h"
#include "host/device/upload_ring.h"
#include "host/recipes/gan.h"
#include "host/run/checkpoint.h"
#include "host/train/memory_use.h"
#include "host/train/picture_plan.h"
#include "kernels/memory.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace duel {

// Throws where training is impossible: the batch is larger than the data, or the device cannot do the precision or has
// too little memory.
void check_trainable(Context& context, const Options& options, const Data& dataset);

// Which pictures they are, for checkpoints: "60000 pictures of 28x28x1, crc32c 0123abcd".
std::string dataset_fingerprint(const Data& dataset);

class Trainer {
public:
  // Draws the starting weights. Throws as check_trainable() does. Context and data set outlive the trainer.
  Trainer(Context& context, const Options& options, const Data& dataset, bool fused = true);
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
  const std::vector<std::string>& metric_names() const { return metric_names_; }
  const std::vector<float>& read_metrics();

  // Takes the device memory that lets steps go on while a snapshot is downloaded, where there is a use for it and room
  // (memory_use.h); without it they wait. To be called once all else is allocated, if at all.
  enum class SnapshotRoom { reserved, not_needed, lacking };
  SnapshotRoom reserve_snapshot();
  // Of the state; begin() takes it as the steps queued so far leave it. What write_checkpoint() wants beside its bytes:
  // model() and state(), asked for when it is begun. save() does it all, and waits.
  Snapshot& snapshot();
  CheckpointState state() const { return {steps_done(), options_.seed, dataset_fingerprint_}; }
  void save(const std::filesystem::path& folder);
  // Throws kind `data` where the checkpoint is of another architecture or data set, truncated or corrupted, and then
  // leaves the trainer as it was.
  void load(const std::filesystem::path& folder);

  MemoryUse memory_use();
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  bool streams_pictures() const { return picture_plan_.is_streamed(); }
  int steps_per_launch() const { return steps_per_launch_; }                           // 0: still being measured
  int lanes() const { return lanes_; }                                                 // the same
  double waited_seconds() const { return uploads_ ? uploads_->waited_seconds() : 0; }  // for pictures to stream
  GanModel& model() { return model_; }
  DeviceQueue& queue() { return *queue_; }
  Context& context() { return context_; }
  const Execution& discriminator_phase() const { return discriminator_phase_; }
  const Execution& generator_phase() const { return generator_phase_; }

private:
  PicturePlan make_picture_plan(const Data& dataset);
  GanModel make_allocated_model(const Data& dataset);
  DeviceQueue::Work add_work(int lanes);
  DeviceQueue::Work work_on(int lanes) const { return lanes == 1 ? work_ : work_on_lanes_; }
  void run_phase(const char* name, const Execution& phase, int lanes);
  View ring_view() const;
  void start_schedule();
  void stop_schedule();
  void tune(std::int64_t steps_done, const std::function<bool()>& stop);

  Context& context_;
  Options options_;
  const Data& dataset_;
  PicturePlan picture_plan_;
  GanModel model_;
  std::vector<std::string> metric_names_;
  std::string dataset_fingerprint_;
  std::int64_t steps_per_epoch_;
  Buffer pictures_, counter_, ring_;
  GanPhases phases_;   // empty once they are executions
  int planned_lanes_;  // steps may also run on one lane
  Execution discriminator_phase_, generator_phase_;
  Buffer arena_;

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
