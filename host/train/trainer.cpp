#include "host/train/trainer.h"

#include "host/device/device.h"
#include "host/device/timing.h"
#include "host/files/crc32c.h"
#include "host/recipes/gan.h"
#include "host/run/model.h"
#include "kernels/check.h"
#include "kernels/range.h"

#include <algorithm>
#include <array>
#include <span>

namespace duel {

namespace {

Shape pictures_shape(const Data& dataset) {
  return {dataset.count, dataset.height, dataset.width, dataset.channels};
}

}  // namespace

std::string dataset_fingerprint(const Data& dataset) {
  return fmt::format("{} pictures of {}x{}x{}, crc32c {:08x}", dataset.count, dataset.height, dataset.width,
                     dataset.channels, crc32c(std::as_bytes(std::span(dataset.pixels))));
}

void check_trainable(Context& context, const Options& options, const Data& dataset) {
  if (options.train.batch > dataset.count) {
    throw_error(Error::Kind::data, "train.batch is {}, but {} has only {} pictures", options.train.batch, dataset.name,
                dataset.count);
  }
  if (options.precision == "bf16" && !context.supports_bf16()) {
    throw_error(
        Error::Kind::device,
        "precision bf16 needs a CPU with AVX512-BF16, or a GPU of compute capability 8.0 or later; {} is neither; "
        "use fp32",
        context.name());
  }
  if (options.precision == "tf32" && !context.supports_tf32()) {
    throw_error(Error::Kind::device,
                "precision tf32 needs a GPU of compute capability 8.0 or later, for products in TF32; {} is none; use "
                "fp32",
                context.name());
  }
  check_memory(context, options, dataset);
}

PicturePlan Trainer::make_picture_plan(const Data& dataset) {
  check_trainable(context_, options_, dataset);
  return plan_pictures(options_, dataset, duel::streams_pictures(context_, options_, dataset));
}

GanModel Trainer::make_allocated_model(const Data& dataset) {
  GanModel model = make_model(options_, pictures_shape(dataset).with_rows(1));
  allocate_for_training(context_, model, options_);
  return model;
}

Trainer::Trainer(Context& context, const Options& options, const Data& dataset, bool fused)
    : context_(context),
      options_(options),
      dataset_(dataset),
      picture_plan_(make_picture_plan(dataset)),  // looks at the memory that is free, before anything is allocated
      model_(make_allocated_model(dataset)),
      metric_names_(gan_metrics(options)),
      dataset_fingerprint_(dataset_fingerprint(dataset)),
      steps_per_epoch_(dataset.count / options.train.batch),
      pictures_(context, picture_plan_.bytes()),
      counter_(context, sizeof(std::int64_t)),
      ring_(context, kRingRows * metric_names_.size() * sizeof(float)),
      phases_(record_gan(model_, options,
                         {.pictures = pictures_.view(picture_plan_.shape, DType::u8),
                          .step = counter_.view({1}, DType::i64),
                          .ring = ring_view(),
                          .slot_rows = picture_plan_.slot_rows},
                         fused)),
      planned_lanes_(planned_lanes(context, options)),
      discriminator_phase_(context, std::move(phases_.discriminator), lane_request(context, options)),
      generator_phase_(context, std::move(phases_.generator), lane_request(context, options)),
      arena_(context, std::max(discriminator_phase_.plan().arena_bytes, generator_phase_.plan().arena_bytes)),
      metrics_(metric_names_.size()),
      queue_(make_device_queue(context, options.schedule.launch == "graph")),
      work_(add_work(1)),
      work_on_lanes_(planned_lanes_ > 1 ? add_work(planned_lanes_) : work_),
      steps_per_launch_(queue_->is_inline() ? 1 : options.schedule.steps_per_launch),
      lanes_(planned_lanes_ == 1 ? 1 : options.schedule.lanes) {
  if (!picture_plan_.is_streamed()) {
    context.upload(pictures_.data(), dataset.pixels.data(), dataset.pixels.size());
  }
  if (steps_per_launch_ == 0 || lanes_ == 0) {
    const LaunchTuner::Launch fewest{std::max(steps_per_launch_, 1), std::max(lanes_, 1)};
    tuner_.emplace(fewest, LaunchTuner::Launch{picture_plan_.most_steps_per_launch, planned_lanes_});
  }
  counter_.clear();
  ring_.clear();
  model_.generator->parameters().initialize(context, options.seed, 0);
  model_.discriminator->parameters().initialize(context, options.seed, 1);
  discriminator_phase_.attach(arena_.data());
  generator_phase_.attach(arena_.data());
}

DeviceQueue::Work Trainer::add_work(int lanes) {
  return queue_->add_work([this, lanes] {
    run_phase("d_main", discriminator_phase_, lanes);
    run_phase("g_main", generator_phase_, lanes);
  });
}

void Trainer::run_phase(const char* name, const Execution& phase, int lanes) {
  const Range range(name);
  lanes == 1 ? phase.run(context_) : phase.run_on_lanes(context_);
}

View Trainer::ring_view() const {
  return ring_.view({kRingRows, static_cast<int>(metric_names_.size())}, DType::f32);
}

void Trainer::start_schedule() {
  if (picture_plan_.is_streamed()) {
    constexpr int kFillingThreads = 2;  // copying pictures together is bound by memory
    uploads_.emplace(*queue_,
                     UploadRing::Layout{static_cast<std::byte*>(pictures_.data()), picture_plan_.slot_bytes(),
                                        picture_plan_.slots, queue_->is_inline() ? 0 : kFillingThreads, first_step_},
                     [this](std::int64_t step, std::byte* slot) { fill_slot(options_, dataset_, step, slot); });
  }
  const StepScheduler::Layout layout{ring_view().as<const float>(), kRingRows, static_cast<int>(metric_names_.size()),
                                     std::max(steps_per_launch_, 1), first_step_};
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
  const std::size_t bytes = snapshot_bytes(options_, model_);
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
    for (const View& block : checkpoint_blocks(model_)) {
      arrays.push_back({static_cast<const std::byte*>(block.data), block.bytes()});
    }
    auto* const stage = static_cast<std::byte*>(stage_.data());
    snapshot_.emplace(*queue_, stage != nullptr ? Snapshot::staged(*queue_, std::move(arrays), stage)
                                                : Snapshot::Layout{std::move(arrays)});
  }
  return *snapshot_;
}

void Trainer::save(const std::filesystem::path& folder) {
  snapshot().begin();
  const CheckpointState saved = state();
  snapshot().wait();
  write_checkpoint(model_, snapshot().bytes(), saved, folder);
  snapshot().release();
}

void Trainer::load(const std::filesystem::path& folder) {
  const std::int64_t before = steps_done();
  stop_schedule();  // waits for the steps that are queued; the next one begins where the checkpoint ends
  first_step_ = before;
  const CheckpointState loaded = read_checkpoint(context_, model_, state(), folder);
  first_step_ = loaded.step;
  upload<std::int64_t>(context_, counter_.view({1}, DType::i64), std::array{loaded.step});
}

MemoryUse Trainer::memory_use() {
  MemoryUse use;
  for (const Network* network : {model_.generator.get(), model_.discriminator.get()}) {
    use.parameters += network->parameters().allocated_bytes();
  }
  use.pictures = pictures_.bytes();
  use.arena = arena_.bytes();
  use.arena_unshared = std::max(discriminator_phase_.plan().unshared_bytes, generator_phase_.plan().unshared_bytes);
  use.workspace = context_.workspace_bytes();
  use.snapshot = stage_.bytes();
  return use;
}

}  // namespace duel
