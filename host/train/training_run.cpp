#include "host/train/training_run.h"

#include "host/config/configuration.h"
#include "host/config/option_changes.h"
#include "host/data/data_report.h"
#include "host/data/open_dataset.h"
#include "host/data/photograph_source.h"
#include "host/device/device.h"
#include "host/device/timing.h"
#include "host/pictures/sample_grid.h"
#include "host/recipes/registry.h"
#include "host/recipes/unread_keys.h"
#include "host/run/checkpoint.h"
#include "host/run/interrupt.h"
#include "host/run/run_directory.h"
#include "host/train/comparisons.h"
#include "host/train/disk_use.h"
#include "host/train/memory_check.h"
#include "host/train/reconstructions.h"
#include "host/train/trainable.h"
#include "host/train/trainer.h"
#include "host/train/training_loop.h"
#include "kernels/check.h"

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <fstream>

namespace duel {

namespace {

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
RunDirectory open_source(const TrainingRequest& request, const Data& data, std::int64_t& step) {
  RunDirectory source = RunDirectory::open_for_reading(request.from);
  step = request.step < 0 ? source.require_latest_checkpoint() : require_checkpoint(source, request.step);
  check_same_networks(options_of(source, step), request.options, Continuation::new_run,
                      fmt::format("{} at step {}", request.from, step));
  const std::filesystem::path checkpoint = source.checkpoint_path(step);
  const Source& main = main_source(data);
  const Shape its = picture_shape(read_manifest(checkpoint), checkpoint), ours = picture_shape(main);
  if (its != ours) {
    throw_error(Error::Kind::usage, "--from {}: its pictures are {}x{}x{}, but those of {} are {}x{}x{}", request.from,
                its[1], its[2], its[3], main.name(), ours[1], ours[2], ours[3]);
  }
  verify_checkpoint(source.checkpoint_path(step));
  return source;
}

// The first checkpoint is in place before the folder is a run: a kill must not leave one that would begin with other
// weights.
RunDirectory create_from(const TrainingRequest& request, const std::string& config, const Data& data,
                         const TrainingPlan& plan, RunStart& start) {
  std::int64_t step = 0;
  const RunDirectory source = open_source(request, data, step);
  RunDirectory run = RunDirectory::reserve(request.folder);
  AtomicFolder first = run.begin_checkpoint(0);
  write_first_checkpoint(source.checkpoint_path(step),
                         {0, request.options.seed, fingerprint_of(data), plan.recipe->name(), fields_of(data)},
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

// Where a run goes on that became non-finite: at its last whole checkpoint, with half the learning rates.
RunStart roll_back(Options& options, const RunDirectory& run, const std::string& reason, int rollback) {
  RunStart start;
  start.is_new = false;
  start.checkpoint = run.latest_checkpoint();
  if (start.checkpoint && !is_whole_checkpoint(run.checkpoint_path(*start.checkpoint))) {
    start.checkpoint = whole_checkpoint_before(run, *start.checkpoint);
  }
  const Options before = options;
  Options::Optimizer& o = options.optimizer;
  for (ScheduleOption* rate : {&o.learning_rate, &o.generator_learning_rate, &o.discriminator_learning_rate}) {
    rate->from /= 2;
    rate->to /= 2;
  }
  start.text = start.checkpoint ? fmt::format("rolled back to step {}", *start.checkpoint)
                                : "rolled back to step 0 because there is no checkpoint yet,";
  start.notes = {fmt::format("warning: {}", reason),
                 fmt::format("rollback {} of {}: goes on with half the learning rates", rollback, kMostRollbacks),
                 "changed: " + shown(option_changes(before, options))};
  return start;
}

// Of a run that begins by itself, whether there is what it begins with.
void check_pretrained(const TrainingRequest& request, const Recipe& recipe) {
  if (request.resume || !request.from.empty()) {
    return;
  }
  for (const Pretrained& each : recipe.pretrained()) {
    const RunDirectory run = RunDirectory::open_for_reading(each.run);
    verify_checkpoint(run.checkpoint_path(run.require_latest_checkpoint()));
  }
}

// Whether the run could begin in its folder. Returns the checkpoint that it would load, if any, and adds to `notes`.
std::optional<std::filesystem::path> check_folders(const TrainingRequest& request, const Data& data,
                                                   std::vector<std::string>& notes) {
  if (request.resume) {
    RunStart start;
    const RunDirectory run = open_resumed(request, start);
    notes = start.notes;
    return start.checkpoint ? std::optional(run.checkpoint_path(*start.checkpoint)) : std::nullopt;
  }
  if (!request.folder.empty()) {
    RunDirectory::check_can_create(request.folder);
  }
  if (!request.from.empty()) {
    std::int64_t step = 0;
    open_source(request, data, step);
  }
  return std::nullopt;
}

void check_sheet_of(const TrainingPlan& plan, const Options& options) {
  if (const std::optional<Sampling> translation = plan.recipe->translation()) {
    const Shape picture = translation->outputs[0].shape;
    const int panels = comparison_panels(*translation);
    const auto [rows, columns] = comparison_sheet(options, panels);
    check_sheet(picture[1], panels * picture[2], rows, columns);
    return;
  }
  const Sampling sampling = plan.recipe->sampling();
  if (draws_pictures(sampling)) {
    const Shape picture = sampling.outputs[0].shape;
    const int rows = options.output.sample_rows;
    for (const int each : {rows, plan.recipe->reconstruction() ? reconstruction_rows(rows) : rows}) {
      check_sheet(picture[1], picture[2], each, options.output.sample_columns);
    }
  }
}

// What the recipe measures on, or shows on sheets of translations; or none: then `notes` say why, where it would.
std::unique_ptr<const Source> held_out_rows(const Recipe& recipe, const Options& options, const Data& data,
                                            std::vector<std::string>& notes) {
  const std::optional<HeldOutMeasure> measure = recipe.held_out();
  const Source& main = main_source(data);
  if (!measure) {
    return recipe.translation() ? open_held_out(options.data, main) : nullptr;
  }
  std::unique_ptr<const Source> rows = open_held_out(options.data, main);
  if (!rows) {
    notes.push_back(fmt::format("{} has no rows beside those it is trained on, so {} is not measured", main.name(),
                                fmt::join(measure->metrics, ", ")));
    return nullptr;
  }
  if (const std::string missing = missing_inputs(*measure, *rows); !missing.empty()) {
    notes.push_back(fmt::format("the rows of {} that are held out have no {}, so {} is not measured", main.name(),
                                missing, fmt::join(measure->metrics, ", ")));
    return nullptr;
  }
  return rows;
}

bool evaluates_pictures(const Recipe& recipe, const Options& options) {
  return options.evaluate.every > 0 && draws_pictures(recipe.sampling());
}

// None where a signal came, or for a plan, where an extractor has to be trained first.
std::unique_ptr<PictureJudge> make_judge(const TrainingRequest& request, Context& context, const Recipe& recipe,
                                         const Data& data, bool is_plan) {
  check(static_cast<bool>(request.judge), "training: evaluate.every is {}, but the request has no judge",
        request.options.evaluate.every);
  return request.judge({context, request.options, counted_source(recipe, data), is_plan});
}

struct Interrupted {};

// Throws Interrupted where a signal asks to end while photographs are decoded: there is no run yet to be ended.
Data open_data(const TrainingRequest& request) {
  return open_dataset(request.options.data, {request.options.threads, [&](const DecodeProgress& progress) {
                                               if (InterruptGuard::requested()) {
                                                 throw Interrupted{};
                                               }
                                               if (request.progress) {
                                                 request.progress(progress);
                                               }
                                             }});
}

// Of photographs, what `duel data` would say, in short; other data sets are as they were made.
void note_data(const Options& options, const Data& data, std::vector<std::string>& notes) {
  const Source& main = main_source(data);
  if (dynamic_cast<const PhotographSource*>(&main.base()) != nullptr) {
    const std::vector<std::string> lines =
        short_report(report_data(main, open_held_out(options.data, main).get(), options.recipe));
    notes.insert(notes.end(), lines.begin(), lines.end());
  }
}

void note_unread(const Options& options, std::vector<std::string>& notes) {
  if (std::string unread = unread_changes(options); !unread.empty()) {
    notes.push_back(std::move(unread));
  }
}

// Time is measured on so many steps behind the first, which warms up pages, primitives and caches.
constexpr int kMeasured = 5;

double seconds_a_step(Trainer& trainer) {
  trainer.step();
  trainer.drain();
  const Clock::time_point begin = Clock::now();
  trainer.run_to(trainer.steps_done() + kMeasured);
  trainer.drain();
  return seconds_since(begin) / kMeasured;
}

// Whether there will be a copy of the state for checkpoints.
void plan_snapshot(Context& context, RunPlan& plan) {
  const bool has_use = context.free_bytes() && plan.memory.snapshot > 0;
  plan.lacks_snapshot_room = has_use && !fits_snapshot(context, plan.memory.total());
  if (plan.lacks_snapshot_room || !has_use) {
    plan.memory.snapshot = 0;
  }
}

}  // namespace

TrainingResult run_training(const TrainingRequest& request) {
  const InterruptGuard guard;
  validate(request.options);
  Context context = make_context(request.options);
  Data data;
  try {
    data = open_data(request);
  } catch (const Interrupted&) {
    return {.exit_code = kInterruptedExitCode, .has_begun = false};
  }
  TrainingPlan plan = plan_trainable(context, request.options, data);  // before a folder is made for nothing
  check_sheet_of(plan, request.options);
  check_pretrained(request, *plan.recipe);
  const std::int64_t last_step =
      total_steps(request.options, counted_source(*plan.recipe, data).count() / request.options.train.batch);
  std::vector<std::string> notes;
  note_data(request.options, data, notes);
  note_unread(request.options, notes);
  const std::unique_ptr<const Source> held_out = held_out_rows(*plan.recipe, request.options, data, notes);
  const DiskUse disk = plan_disk_use(request.options, plan, request.folder, last_step);
  if (!request.resume) {
    check_disk(disk);
  }
  // It may spend minutes on an extractor: of a new run before it has a folder, of another once it is sure to go on.
  const bool evaluates = evaluates_pictures(*plan.recipe, request.options);
  std::unique_ptr<PictureJudge> judge;
  if (evaluates && !request.resume) {
    RunDirectory::check_can_create(request.folder);
    judge = make_judge(request, context, *plan.recipe, data, false);
    if (!judge) {
      return {.exit_code = kInterruptedExitCode, .has_begun = false};
    }
  }
  const std::string config = to_toml(request.options, resolved_comments(context, request.options));
  RunStart start;
  RunDirectory run = request.resume         ? open_resumed(request, start)
                     : request.from.empty() ? RunDirectory::create(request.folder, config)
                                            : create_from(request, config, data, plan, start);
  if (request.resume && start.checkpoint && *start.checkpoint >= last_step) {
    return {.step = *start.checkpoint, .last_step = last_step, .was_done = true};
  }
  if (evaluates && request.resume) {
    judge = make_judge(request, context, *plan.recipe, data, false);
    if (!judge) {
      return {.exit_code = kInterruptedExitCode, .has_begun = false};
    }
  }
  if (disk.may_fill()) {
    start.notes.push_back(fill_warning(disk));
  }
  start.notes.insert(start.notes.end(), notes.begin(), notes.end());
  try {
    Options options = request.options;
    for (int rollback = 1;; ++rollback) {
      try {
        TrainingLoop loop(options, start, context, data, held_out.get(), judge.get(), std::move(plan), run);
        const int exit_code = loop.run();
        return {.exit_code = exit_code, .step = loop.steps_done(), .last_step = last_step};
      } catch (const Error& error) {
        if (error.kind() != Error::Kind::non_finite || options.train.on_nonfinite != "rollback" ||
            rollback > kMostRollbacks) {
          throw;
        }
        start = roll_back(options, run, error.what(), rollback);
      }
      plan = plan_trainable(context, options, data);
    }
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

RunPlan plan_run(const TrainingRequest& request) {
  const Options& options = request.options;
  validate(options);
  Context context = make_context(options);
  const Data data = open_dataset(options.data, {options.threads, request.progress});
  const Source& main = main_source(data);
  RunPlan plan;
  const std::optional<std::filesystem::path> checkpoint = check_folders(request, data, plan.notes);
  TrainingPlan training = plan_trainable(context, options, data);
  check_sheet_of(training, options);
  note_data(options, data, plan.notes);
  note_unread(options, plan.notes);
  held_out_rows(*training.recipe, options, data, plan.notes);
  plan.data = main.name();
  plan.pictures = main.count();
  plan.picture = picture_shape(main);
  plan.batch = options.train.batch;
  plan.device = context.name();
  plan.steps_per_epoch = main.count() / options.train.batch;
  plan.steps = total_steps(options, plan.steps_per_epoch);
  plan.networks = training.networks.tables();
  if (!request.folder.empty()) {
    plan.disk = plan_disk_use(options, training, request.folder, plan.steps);
    if (!request.resume) {
      check_disk(*plan.disk);
    }
  }
  plan.memory = training.memory;
  const bool evaluates = evaluates_pictures(*training.recipe, options);
  if (evaluates) {
    plan.evaluations = (plan.steps + options.evaluate.every - 1) / options.evaluate.every;
  }
  if (training.memory.required() > kMostMeasuredBytes) {
    plan_snapshot(context, plan);
    if (checkpoint) {
      verify_checkpoint(*checkpoint);
    }
    return plan;
  }
  Trainer trainer(context, options, data, std::move(training));
  plan.lacks_snapshot_room = trainer.reserve_snapshot() == Trainer::SnapshotRoom::lacking;
  checkpoint ? trainer.load(*checkpoint) : trainer.load_pretrained();
  plan.measured_steps = kMeasured;
  plan.seconds_a_step = seconds_a_step(trainer);
  if (evaluates) {
    if (const auto judge = make_judge(request, context, trainer.recipe(), data, true)) {
      judge->attach(trainer.sampling(), trainer.recipe().sampling().outputs[0].shape);
      const Clock::time_point begin = Clock::now();
      judge->judge();
      plan.seconds_an_evaluation = seconds_since(begin);
      plan.evaluation = judge->text();
    }
  }
  plan.memory = trainer.memory_use();
  return plan;
}

}  // namespace duel
