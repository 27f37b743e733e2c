#include "host/train/trainer.h"

#include "host/device/device.h"
#include "host/device/timing.h"
#include "host/train/memory_check.h"
#include "host/train/trainable.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace duel {

std::string fingerprint_of(const Data& data) {
  std::string text;
  for (const auto& [name, source] : data) {
    text += text.empty() ? "" : "; ";
    text += data.size() == 1 ? source->fingerprint() : name + ": " + source->fingerprint();
  }
  return text;
}

Trainer::Trainer(Context& context, const Options& options, const Data& data, bool fused)
    : Trainer(context, options, data, plan_trainable(context, options, data, {.is_fused = fused})) {}

// The plan looked at the memory that is free, before anything is allocated.
Trainer::Trainer(Context& context, const Options& options, const Data& data, TrainingPlan plan)
    : context_(context),
      options_(options),
      recipe_(std::move(plan.recipe)),
      networks_(std::move(plan.networks)),
      sampling_(recipe_->sampling()),
      batches_(std::move(plan.batches)),
      fingerprint_(fingerprint_of(data)),
      fields_(fields_of(data)),
      steps_per_epoch_(counted_source(*recipe_, data).count() / options.train.batch),
      rows_(context, batches_.bytes()),
      planned_lanes_(planned_lanes(context, options)),
      memory_(context, std::move(plan.step), networks_, allocate(), kRingRows, lane_request(context, options)),
      blocks_(saved_blocks(networks_, memory_.state())),
      metrics_(memory_.metrics().size()),
      queue_(make_device_queue(context, options.schedule.launch == "graph")),
      work_(add_work(1)),
      work_on_lanes_(planned_lanes_ > 1 ? add_work(planned_lanes_) : work_),
      steps_per_launch_(queue_->is_inline() ? 1 : options.schedule.steps_per_launch),
      lanes_(planned_lanes_ == 1 ? 1 : options.schedule.lanes) {
  if (!batches_.is_streamed()) {
    batches_.upload(context, static_cast<std::byte*>(rows_.data()));
  }
  if (steps_per_launch_ == 0 || lanes_ == 0) {
    const LaunchTuner::Launch fewest{std::max(steps_per_launch_, 1), std::max(lanes_, 1)};
    tuner_.emplace(fewest, LaunchTuner::Launch{batches_.most_steps_per_launch(), planned_lanes_});
  }
  networks_.initialize(context, options.seed);
}

// The networks' blocks; returns the storage of the rows.
Storage Trainer::allocate() {
  networks_.allocate_for_training(context_, options_.precision == "bf16");
  Storage storage;
  batches_.add_to(storage, static_cast<std::byte*>(rows_.data()));
  return storage;
}

DeviceQueue::Work Trainer::add_work(int lanes) {
  return queue_->add_cycle({[this, lanes](int place) { memory_.run(context_, place, lanes > 1); }, memory_.cycle()});
}

void Trainer::start_schedule() {
  if (batches_.is_streamed()) {
    constexpr int kFillingThreads = 2;  // copying pictures together is bound by memory
    uploads_.emplace(*queue_,
                     UploadRing::Layout{static_cast<std::byte*>(rows_.data()), batches_.slot_bytes(), batches_.slots(),
                                        queue_->is_inline() ? 0 : kFillingThreads, first_step_},
                     [this](std::int64_t step, std::byte* slot) { batches_.fill_slot(step, slot); });
  }
  StepScheduler::Layout layout;
  layout.ring = memory_.metric_rows().as<const float>();
  layout.rows = kRingRows;
  layout.columns = static_cast<int>(memory_.metrics().size());
  layout.steps_per_launch = std::max(steps_per_launch_, 1);
  layout.cycle = memory_.cycle();
  layout.first_step = first_step_;
  const auto on_row = [this](std::int64_t steps_done, std::span<const float> row) {
    metrics_.assign(row.begin(), row.end());
    if (on_row_) {
      on_row_(steps_done, row);
    }
  };
  context_.synchronize();  // what was cleared, drawn and uploaded; the queue has streams of its own
  scheduler_.emplace(*queue_, work_on(std::max(lanes_, 1)), layout, on_row, uploads_ ? &*uploads_ : nullptr);
}

void Trainer::stop_schedule() {
  scheduler_.reset();
  uploads_.reset();
}

void Trainer::run_to(std::int64_t steps_done, const std::function<bool()>& stop) {
  if (!scheduler_) {
    start_schedule();
  }
  if (tuner_) {
    tune(steps_done, stop);
  }
  scheduler_->run_to(steps_done, stop);
}

void Trainer::tune(std::int64_t steps_done, const std::function<bool()>& stop) {
  const auto run = [&](int steps) {
    scheduler_->run_to(scheduler_->steps_launched() + steps, stop);
    scheduler_->drain();
  };
  const auto use = [&](const LaunchTuner::Launch& launch) {
    scheduler_->set_steps_per_launch(launch.steps);
    scheduler_->set_step(work_on(launch.lanes));
  };
  while (!tuner_->is_done()) {
    const LaunchTuner::Launch candidate = tuner_->candidate();
    const int timed = tuner_->steps_to_time();
    if (steps_done - scheduler_->steps_launched() < candidate.steps + timed) {
      return;  // goes on at the next call
    }
    use(candidate);
    run(candidate.steps);
    const Clock::time_point begin = Clock::now();
    run(timed);
    if (stop && stop()) {
      return;
    }
    tuner_->record(seconds_since(begin) / timed);
  }
  use(tuner_->best());
  steps_per_launch_ = tuner_->best().steps;
  lanes_ = tuner_->best().lanes;
  if (on_tuned_) {
    on_tuned_(tuner_->report());
  }
  tuner_.reset();
}

void Trainer::drain() {
  if (scheduler_) {
    scheduler_->drain();
  }
}

const std::vector<float>& Trainer::read_metrics() {
  drain();
  return metrics_;
}

Trainer::SnapshotRoom Trainer::reserve_snapshot() {
  const std::size_t bytes = options_.output.checkpoint_every > 0 ? bytes_of(blocks_) : 0;
  if (queue_->is_inline() || bytes == 0) {
    return SnapshotRoom::not_needed;
  }
  check(!snapshot_, "trainer: room for snapshots was asked for after the first one");
  const bool fits = fits_snapshot(context_, bytes);
  if (fits) {
    stage_ = Buffer(context_, bytes);
  }
  snapshot();  // takes its pinned memory: later that would hold up the device
  return fits ? SnapshotRoom::reserved : SnapshotRoom::lacking;
}

Snapshot& Trainer::snapshot() {
  if (!snapshot_) {
    std::vector<Snapshot::Array> arrays;
    for (const SavedBlock& saved : blocks_) {
      arrays.push_back({static_cast<const std::byte*>(saved.block.data), saved.block.bytes()});
    }
    auto* const stage = static_cast<std::byte*>(stage_.data());
    snapshot_.emplace(*queue_, stage != nullptr ? Snapshot::staged(*queue_, std::move(arrays), stage)
                                                : Snapshot::Layout{std::move(arrays)});
  }
  return *snapshot_;
}

CheckpointState Trainer::state() const {
  return {steps_done(), options_.seed, fingerprint_, recipe_->name(), fields_};
}

void Trainer::save(const std::filesystem::path& folder) {
  snapshot().begin();
  const CheckpointState saved = state();
  snapshot().wait();
  write_checkpoint(blocks_, snapshot().bytes(), saved, folder);
  snapshot().release();
}

void Trainer::load(const std::filesystem::path& folder) {
  const std::int64_t before = steps_done();
  stop_schedule();  // waits for the steps that are queued; the next one begins where the checkpoint ends
  first_step_ = before;
  const CheckpointState loaded = read_checkpoint(context_, blocks_, state(), folder);
  for (const NamedNetwork& each : networks_.list()) {
    each.network->parameters().refresh_compute(context_);
  }
  first_step_ = loaded.step;
  upload<std::int64_t>(context_, memory_.step(), std::array{loaded.step});
}

void Trainer::load_pretrained() {
  for (const auto& [name, folder] : recipe_->pretrained()) {
    const RunDirectory run = RunDirectory::open_for_reading(folder);
    read_network(context_, networks_[name], memory_.state(), run.checkpoint_path(run.require_latest_checkpoint()));
    networks_.parameters(name).refresh_compute(context_);
  }
}

MemoryUse Trainer::memory_use() {
  MemoryUse use;
  use.parameters = networks_.allocated_bytes() + memory_.state().block().bytes();
  use.pictures = rows_.bytes();
  use.arena = memory_.arena_bytes();
  use.arena_unshared = memory_.unshared_bytes();
  use.workspace = context_.workspace_bytes();
  use.snapshot = stage_.bytes();
  return use;
}

}  // namespace duel
