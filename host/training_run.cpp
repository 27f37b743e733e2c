#include "host/training_run.h"

#include "host/atomic_file.h"
#include "host/dataset.h"
#include "host/event_log.h"
#include "host/interrupt.h"
#include "host/metrics_log.h"
#include "host/model.h"
#include "host/png.h"
#include "host/progress.h"
#include "host/run_directory.h"
#include "host/sample_grid.h"
#include "host/sampler.h"
#include "host/trainer.h"
#include "kernels/check.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <optional>

namespace duel {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

RunDirectory open_run(const TrainingRequest& request) {
  if (!request.resume) {
    return RunDirectory::create(request.folder, to_toml(request.options));
  }
  RunDirectory run = RunDirectory::open_for_training(request.folder);
  run.require_latest_checkpoint();
  return run;
}

// The loop's state; run_training() is the only user.
class TrainingLoop {
public:
  TrainingLoop(const TrainingRequest& request, Context& context, const Dataset& dataset, RunDirectory& run)
      : options_(request.options),
        context_(context),
        dataset_(dataset),
        run_(run),
        progress_(run.log_path().string()),
        trainer_(context, request.options, dataset),
        average_(context, trainer_.model(), Parameters::Block::average, request.options.seed),
        raw_(context, trainer_.model(), Parameters::Block::master, request.options.seed),
        last_step_(total_steps(request.options, trainer_.steps_per_epoch())) {
    std::optional<std::int64_t> resumed_at;
    if (request.resume) {
      trainer_.load(run_.checkpoint_path(run_.require_latest_checkpoint()));
      resumed_at = trainer_.steps_done();
      write_file_atomically(run_.config_path(), to_toml(options_));  // the options may extend the run
    }
    first_step_ = trainer_.steps_done();
    metrics_.emplace(run_.metrics_path(), resumed_at);
    events_.emplace(run_.path(), resumed_at);
    if (const std::string why = why_not_cuda(options_.device); !why.empty() && Context::has_cuda()) {
      progress_.message(fmt::format("device auto is the CPU: {}", why));
    }
    progress_.message(fmt::format("{} on {}: {} pictures of {}x{}x{}, preset {}, {} to step {}, {}", request.folder,
                                  context_.name(), dataset_.count, dataset_.height, dataset_.width, dataset_.channels,
                                  options_.preset, resumed_at ? fmt::format("resumed at step {}", *resumed_at) : "new",
                                  last_step_, options_.precision));
  }

  int run() {
    const InterruptGuard guard;
    begin_ = Clock::now();
    if (trainer_.steps_done() == 0) {
      write_samples();
    }
    while (trainer_.steps_done() < last_step_ && !InterruptGuard::requested()) {
      trainer_.step();
      after_step();
    }
    if (saved_step_ != trainer_.steps_done()) {
      save_checkpoint();
    }
    const bool finished = trainer_.steps_done() >= last_step_;
    progress_.message(fmt::format("{} at step {} after {}; checkpoint {}", finished ? "done" : "interrupted",
                                  trainer_.steps_done(), duration_text(seconds_since(begin_)),
                                  run_.checkpoint_path(trainer_.steps_done()).string()));
    return finished ? 0 : kInterruptedExitCode;
  }

private:
  bool is_due(int every) const {
    const std::int64_t step = trainer_.steps_done();
    return step == last_step_ || (every > 0 && step % every == 0);
  }

  ProgressState progress_state(const std::vector<float>& values) const {
    const std::int64_t step = trainer_.steps_done();
    const double seconds = std::max(1e-9, seconds_since(begin_));
    const double steps_per_second = static_cast<double>(step - first_step_) / seconds;
    const std::int64_t epochs = (last_step_ + trainer_.steps_per_epoch() - 1) / trainer_.steps_per_epoch();
    return {step,
            last_step_,
            trainer_.steps_per_epoch(),
            static_cast<int>(epochs),
            steps_per_second * options_.train.batch,
            static_cast<double>(last_step_ - step) / steps_per_second,
            trainer_.metric_names(),
            values};
  }

  void after_step() {
    const std::vector<float>& values = trainer_.read_metrics();
    check_finite(values);
    progress_.update(progress_state(values));
    if (is_due(options_.output.metrics_every)) {
      write_metrics(values);
    }
    if (is_due(options_.output.log_every)) {
      progress_.log_step(progress_state(values));
    }
    if (is_due(options_.output.samples_every)) {
      write_samples();
    }
    if (is_due(options_.output.checkpoint_every)) {
      save_checkpoint();
    }
  }

  void check_finite(const std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        const auto latest = run_.latest_checkpoint();
        throw_error(
            Error::Kind::non_finite,
            "training: {} is {} at step {}; {}. A lower learning rate or optimizer.clip_norm may help",
            trainer_.metric_names()[i], values[i], trainer_.steps_done(),
            latest ? fmt::format("the checkpoint of step {} is intact", *latest) : "no checkpoint was written yet");
      }
    }
  }

  void write_metrics(const std::vector<float>& values) {
    const std::int64_t step = trainer_.steps_done();
    std::vector<Metric> row;
    for (std::size_t i = 0; i < values.size(); ++i) {
      row.push_back({trainer_.metric_names()[i], static_cast<double>(values[i])});
      events_->scalar(trainer_.metric_names()[i], step, static_cast<double>(values[i]));
    }
    metrics_->append(step, (step - 1) / trainer_.steps_per_epoch() + 1, seconds_since(begin_), row);
  }

  void write_samples() {
    const int rows = options_.output.sample_rows, columns = options_.output.sample_columns;
    const std::filesystem::path path = run_.sample_path(trainer_.steps_done());
    const auto write = [&](Sampler& sampler, const std::filesystem::path& file, const char* tag) {
      const std::vector<float> pictures = sampler.draw(context_, 0, rows * columns);
      const Picture sheet =
          sample_grid(pictures, rows * columns, dataset_.height, dataset_.width, dataset_.channels, rows, columns);
      const std::vector<std::uint8_t> png = encode_png(sheet);
      write_file_atomically(file, std::as_bytes(std::span(png)));
      events_->image(tag, trainer_.steps_done(), std::as_bytes(std::span(png)), sheet.height, sheet.width,
                     sheet.channels);
    };
    write(average_, path, "samples/average");
    write(raw_, path.parent_path() / (path.stem().string() + "_raw.png"), "samples/raw");
    events_->flush();
  }

  void save_checkpoint() {
    metrics_->sync();
    AtomicFolder folder = run_.begin_checkpoint(trainer_.steps_done());
    trainer_.save(folder.path());
    run_.publish_checkpoint(std::move(folder), options_.output.keep_last, options_.output.keep_every);
    saved_step_ = trainer_.steps_done();
  }

  Options options_;
  Context& context_;
  const Dataset& dataset_;
  RunDirectory& run_;
  Progress progress_;
  Trainer trainer_;
  Sampler average_, raw_;
  std::int64_t last_step_;
  std::int64_t first_step_ = 0, saved_step_ = -1;
  std::optional<MetricsLog> metrics_;
  std::optional<EventLog> events_;
  Clock::time_point begin_;
};

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace

std::int64_t total_steps(const Options& options, std::int64_t steps_per_epoch) {
  return options.train.steps > 0 ? options.train.steps : options.train.epochs * steps_per_epoch;
}

int run_training(const TrainingRequest& request) {
  validate(request.options);
  Context context = make_context(request.options);
  const Dataset dataset = open_dataset(request.options.data);
  check_trainable(context, request.options, dataset);  // before a folder is made for nothing
  RunDirectory run = open_run(request);
  TrainingLoop loop(request, context, dataset, run);
  return loop.run();
}

void print_dry_run(const Options& options) {
  validate(options);
  Context context = make_context(options);
  const Dataset dataset = open_dataset(options.data);
  Trainer trainer(context, options, dataset);
  const std::int64_t steps = total_steps(options, trainer.steps_per_epoch());
  fmt::print("data: {}, {} pictures of {}x{}x{}, {} steps an epoch at batch {}\n", dataset.name, dataset.count,
             dataset.height, dataset.width, dataset.channels, trainer.steps_per_epoch(), options.train.batch);
  fmt::print("{}", describe(trainer.model()));
  trainer.step();  // warms up: pages, primitives, caches
  constexpr int kMeasured = 5;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kMeasured; ++i) {
    trainer.step();
  }
  trainer.read_metrics();
  const double seconds = seconds_since(begin) / kMeasured;
  const MemoryUse use = trainer.memory_use();
  fmt::print(
      "memory on {}: {:.0f} MiB = parameters and optimiser {:.0f} + pictures {:.0f} + arena {:.0f} ({:.0f} without "
      "sharing) + "
      "workspace {:.0f}\n",
      context.name(), mebibytes(use.total()), mebibytes(use.parameters), mebibytes(use.pictures), mebibytes(use.arena),
      mebibytes(use.arena_unshared), mebibytes(use.workspace));
  const double total = seconds * static_cast<double>(steps);
  const std::time_t end = std::time(nullptr) + static_cast<std::time_t>(total);
  std::tm local{};
  localtime_r(&end, &local);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  fmt::print("time: {:.1f} ms a step (mean of {}), {:.0f} pictures/s; {} steps take {}, until {}\n", seconds * 1e3,
             kMeasured, options.train.batch / seconds, steps, duration_text(total), text);
}

}  // namespace duel
