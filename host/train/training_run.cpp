#include "host/train/training_run.h"

#include "host/config/configuration.h"
#include "host/config/option_changes.h"
#include "host/data/open_dataset.h"
#include "host/device/timing.h"
#include "host/pictures/sample_grid.h"
#include "host/run/checkpoint.h"
#include "host/run/interrupt.h"
#include "host/run/model.h"
#include "host/run/progress.h"
#include "host/run/run_directory.h"
#include "host/train/trainer.h"
#include "host/train/training_loop.h"
#include "kernels/check.h"

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>

namespace duel {

namespace {

// Of a checkpoint: the shape of its pictures, or where its data is something else than this program writes, no shape.
Shape picture_shape(const CheckpointState& state) {
  int height = 0, width = 0, channels = 0;
  std::sscanf(state.data.c_str(), "%*d pictures of %dx%dx%d", &height, &width, &channels);
  return {1, height, width, channels};
}

Options options_of(const RunDirectory& run, std::optional<std::int64_t> step) {
  const std::filesystem::path path = step ? run.config_path(*step) : run.config_path();
  try {
    return options_from_toml(read_text_file(path), path.string());
  } catch (const Error& error) {
    throw Error(Error::Kind::data, error.what());  // not of what was typed
  }
}

std::int64_t require_checkpoint(const RunDirectory& run, std::int64_t step) {
  if (!std::filesystem::is_directory(run.checkpoint_path(step))) {
    throw_error(Error::Kind::data, "{}: there is no checkpoint of step {}; there are those of {}", run.path().string(),
                step, run.checkpoints().empty() ? "none" : fmt::format("{}", fmt::join(run.checkpoints(), ", ")));
  }
  return step;
}

// What is asked for, or the latest.
std::optional<std::int64_t> chosen_checkpoint(const RunDirectory& run, std::int64_t step) {
  return step < 0 ? run.latest_checkpoint() : require_checkpoint(run, step);
}

// Checks the request against the run, and says what will be different.
RunStart plan_resume(const TrainingRequest& request, const RunDirectory& run) {
  RunStart start;
  start.is_new = false;
  start.checkpoint = chosen_checkpoint(run, request.step);
  start.text = start.checkpoint ? fmt::format("resumed at step {}", *start.checkpoint)
                                : "resumed at step 0 because there is no checkpoint yet,";
  if (start.checkpoint) {
    check_same_networks(options_of(run, start.checkpoint), request.options, Continuation::same_run,
                        fmt::format("{} at step {}", request.folder, *start.checkpoint));
  }
  if (const auto changes = option_changes(options_of(run, std::nullopt), request.options); !changes.empty()) {
    start.notes.push_back("changed: " + shown(changes));
  }
  return start;
}

RunDirectory open_resumed(const TrainingRequest& request, RunStart& start) {
  RunDirectory run = RunDirectory::open_for_training(request.folder);
  start = plan_resume(request, run);
  return run;
}

// The run whose weights a new one takes, once it is sure that they fit.
RunDirectory open_source(const TrainingRequest& request, const Data& dataset, std::int64_t& step) {
  RunDirectory source = RunDirectory::open_for_reading(request.from);
  step = request.step < 0 ? source.require_latest_checkpoint() : require_checkpoint(source, request.step);
  check_same_networks(options_of(source, step), request.options, Continuation::new_run,
                      fmt::format("{} at step {}", request.from, step));
  const CheckpointState state = read_checkpoint_state(source.checkpoint_path(step));
  const Source& data = main_source(dataset);
  const Shape its = picture_shape(state), ours = duel::picture_shape(data);
  if (its != ours) {
    throw_error(Error::Kind::usage, "--from {}: it makes pictures of {}x{}x{}, but {} has pictures of {}x{}x{}",
                request.from, its[1], its[2], its[3], data.name(), ours[1], ours[2], ours[3]);
  }
  verify_checkpoint(source.checkpoint_path(step));
  return source;
}

// The first checkpoint is in place before the folder is a run: a kill must not leave one that would begin with other
// weights.
RunDirectory create_from(const TrainingRequest& request, const std::string& config, const Data& dataset,
                         RunStart& start) {
  std::int64_t step = 0;
  const RunDirectory source = open_source(request, dataset, step);
  RunDirectory run = RunDirectory::reserve(request.folder);
  AtomicFolder first = run.begin_checkpoint(0);
  write_first_checkpoint(source.checkpoint_path(step), {0, request.options.seed, dataset_fingerprint(dataset)},
                         first.path());
  write_file_atomically(first.path() / run.config_path().filename(), config);
  run.publish_checkpoint(std::move(first), 0, 0);
  run.write_config(config);
  start.checkpoint = 0;
  start.text = fmt::format("new with the weights of {} at step {},", request.from, step);
  return run;
}

// For a log that nobody holds open any more; what cannot be written there is printed all the same.
void log_end(const std::filesystem::path& log, const std::string& text) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::ofstream(log, std::ios::app) << fmt::format("{:%Y-%m-%d %H:%M:%S}  ended by an error: {}\n", local, text);
}

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

// Whether the run could begin in its folder. Returns the checkpoint that it would load, if any.
std::optional<std::filesystem::path> check_folders(const TrainingRequest& request, const Data& dataset) {
  if (request.resume) {
    RunStart start;
    const RunDirectory run = open_resumed(request, start);
    for (const std::string& note : start.notes) {
      fmt::print("{}\n", note);
    }
    return start.checkpoint ? std::optional(run.checkpoint_path(*start.checkpoint)) : std::nullopt;
  }
  if (!request.folder.empty()) {
    RunDirectory::check_can_create(request.folder);
  }
  if (!request.from.empty()) {
    std::int64_t step = 0;
    open_source(request, dataset, step);
  }
  return std::nullopt;
}

// What the run writes, against what the disk has. A sheet is counted with a byte for each of its values, more than a
// PNG of it takes.
void print_disk(const TrainingRequest& request, const Data& dataset, Trainer& trainer, std::int64_t steps) {
  std::error_code failure;
  std::filesystem::path folder = std::filesystem::absolute(request.folder, failure);
  while (!std::filesystem::exists(folder, failure) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  const auto space = std::filesystem::space(folder, failure);
  if (failure || space.capacity == 0) {
    fmt::print("disk: what is free at {} is unknown\n", folder.string());
    return;
  }
  const Options::Output& output = request.options.output;
  const auto count = [&](int every) { return 1 + (every > 0 ? steps / every : 0); };
  double checkpoint = 1 << 14;  // of the text beside it
  for (const View& block : checkpoint_blocks(trainer.model())) {
    checkpoint += static_cast<double>(block.bytes());
  }
  const Shape picture = duel::picture_shape(main_source(dataset));
  const double sheet = 2.0 * static_cast<double>(sheet_bytes(picture[1], picture[2], picture[3], output.sample_rows,
                                                             output.sample_columns));
  const std::int64_t all = count(output.checkpoint_every);
  std::int64_t kept = output.keep_last == 0 ? all : std::min<std::int64_t>(all, output.keep_last + std::int64_t{1});
  kept += output.keep_last > 0 && output.keep_every > 0 ? steps / output.keep_every : 0;
  constexpr double kMebibyte = 1 << 20;
  const double most = checkpoint * static_cast<double>(kept) + sheet * static_cast<double>(count(output.samples_every));
  const auto free = static_cast<double>(space.available);
  const double first = checkpoint + sheet;
  if (free < first) {
    throw_error(Error::Kind::data,
                "{}: {:.1f} MiB are free there, but the first checkpoint and sample sheets take up to {:.1f} MiB",
                folder.string(), free / kMebibyte, first / kMebibyte);
  }
  fmt::print(
      "disk: up to {:.1f} MiB = {} checkpoints of {:.1f} and {} pairs of sheets of up to {:.1f}; {:.1f} MiB are "
      "free{}\n",
      most / kMebibyte, kept, checkpoint / kMebibyte, count(output.samples_every), sheet / kMebibyte, free / kMebibyte,
      most > free ? ", which may not be enough" : "");
}

}  // namespace

int run_training(const TrainingRequest& request) {
  const InterruptGuard guard;
  validate(request.options);
  Context context = make_context(request.options);
  const Data dataset = open_dataset(request.options.data);
  check_trainable(context, request.options, dataset);  // before a folder is made for nothing
  const Source& source = main_source(dataset);
  const Shape picture = duel::picture_shape(source);
  check_sheet(picture[1], picture[2], request.options.output.sample_rows, request.options.output.sample_columns);
  const std::string config = to_toml(request.options, resolved_comments(context, request.options));
  RunStart start;
  RunDirectory run = request.resume         ? open_resumed(request, start)
                     : request.from.empty() ? RunDirectory::create(request.folder, config)
                                            : create_from(request, config, dataset, start);
  const std::int64_t last_step = total_steps(request.options, source.count() / request.options.train.batch);
  if (request.resume && start.checkpoint && *start.checkpoint >= last_step) {
    fmt::print(
        "{}: nothing is to do: the checkpoint is of step {}, and the run ends at step {}; --steps asks for more\n",
        request.folder, *start.checkpoint, last_step);
    return 0;
  }
  try {
    TrainingLoop loop(request.options, start, context, dataset, run);
    return loop.run();
  } catch (const std::exception& error) {
    const std::optional<std::int64_t> whole =
        start.checkpoint ? whole_checkpoint_before(run, *start.checkpoint) : std::nullopt;
    const std::string text =
        whole ? fmt::format("{}; the checkpoint of step {} is whole: --resume --step {} continues there", error.what(),
                            *whole, *whole)
              : error.what();
    log_end(run.log_path(), text);
    if (const auto* known = dynamic_cast<const Error*>(&error)) {
      throw Error(known->kind(), text);
    }
    throw;
  }
}

void print_dry_run(const TrainingRequest& request) {
  const Options& options = request.options;
  validate(options);
  Context context = make_context(options);
  const Data dataset = open_dataset(options.data);
  const Source& source = main_source(dataset);
  const Shape picture = duel::picture_shape(source);
  check_sheet(picture[1], picture[2], options.output.sample_rows, options.output.sample_columns);
  const std::optional<std::filesystem::path> checkpoint = check_folders(request, dataset);
  Trainer trainer(context, options, dataset);
  const Trainer::SnapshotRoom room = trainer.reserve_snapshot();
  if (checkpoint) {
    trainer.load(*checkpoint);
  }
  const std::int64_t steps = total_steps(options, trainer.steps_per_epoch());
  fmt::print("data: {}, {} pictures of {}x{}x{}, {} steps an epoch at batch {}\n", source.name(), source.count(),
             picture[1], picture[2], picture[3], trainer.steps_per_epoch(), options.train.batch);
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
  if (!request.folder.empty()) {
    print_disk(request, dataset, trainer, steps);
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
