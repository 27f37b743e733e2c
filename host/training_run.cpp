#include "host/training_run.h"

#include "host/dataset.h"
#include "host/model.h"
#include "host/progress.h"
#include "host/run_directory.h"
#include "host/timing.h"
#include "host/trainer.h"
#include "host/training_loop.h"
#include "kernels/check.h"

#include <ctime>

namespace duel {

namespace {

RunDirectory open_run(const TrainingRequest& request, Context& context) {
  if (!request.resume) {
    return RunDirectory::create(request.folder, to_toml(request.options, resolved_comments(context, request.options)));
  }
  RunDirectory run = RunDirectory::open_for_training(request.folder);
  run.require_latest_checkpoint();
  return run;
}

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
  RunDirectory run = open_run(request, context);
  TrainingLoop loop(request.options, request.resume, context, dataset, run);
  return loop.run();
}

void print_dry_run(const Options& options) {
  validate(options);
  Context context = make_context(options);
  const Dataset dataset = open_dataset(options.data);
  Trainer trainer(context, options, dataset);
  const Trainer::SnapshotRoom room = trainer.reserve_snapshot();
  const std::int64_t steps = total_steps(options, trainer.steps_per_epoch());
  fmt::print("data: {}, {} pictures of {}x{}x{}, {} steps an epoch at batch {}\n", dataset.name, dataset.count,
             dataset.height, dataset.width, dataset.channels, trainer.steps_per_epoch(), options.train.batch);
  fmt::print("{}", describe(trainer.model()));
  trainer.step();  // warms up: pages, primitives, caches
  trainer.drain();
  constexpr int kMeasured = 5;
  const Clock::time_point begin = Clock::now();
  trainer.run_to(trainer.steps_done() + kMeasured);
  trainer.drain();
  const double seconds = seconds_since(begin) / kMeasured;
  const MemoryUse use = trainer.memory_use();
  fmt::print(
      "memory on {}: {:.0f} MiB = parameters and optimiser {:.0f} + pictures {:.0f} + arena {:.0f} ({:.0f} without "
      "sharing) + workspace {:.0f}{}\n",
      context.name(), mebibytes(use.total()), mebibytes(use.parameters), mebibytes(use.pictures), mebibytes(use.arena),
      mebibytes(use.arena_unshared), mebibytes(use.workspace),
      use.snapshot > 0 ? fmt::format(" + copy for checkpoints {:.0f}", mebibytes(use.snapshot)) : "");
  if (room == Trainer::SnapshotRoom::lacking) {
    fmt::print("checkpoints: {}\n", kNoSnapshotRoom);
  }
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
