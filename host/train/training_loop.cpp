#include "host/train/training_loop.h"

#include "host/config/configuration.h"
#include "host/device/choice_cache.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/pictures/png.h"
#include "host/pictures/sample_grid.h"
#include "host/recipes/registry.h"
#include "host/run/interrupt.h"
#include "host/train/memory_check.h"
#include "kernels/check.h"

#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace duel {

namespace {

SheetShape sheet_of(const Options& options) {
  return {options.output.sample_rows, options.output.sample_columns};
}

Shape shape_of_pictures(const Recipe& recipe, const Source& main) {
  const Sampling sampling = recipe.sampling();
  return draws_pictures(sampling) ? sampling.outputs[0].shape : field_named(main, recipe.batches().front().field).shape;
}

std::span<const float> floats_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

}  // namespace

TrainingLoop::TrainingLoop(const Options& options, const RunStart& start, Context& context, const Data& data,
                           const Source* held_out, TrainingPlan plan, RunDirectory& run)
    : options_(options),
      context_(context),
      main_(counted_source(*plan.recipe, data)),
      picture_(shape_of_pictures(*plan.recipe, main_)),
      run_(run),
      progress_(run.log_path().string()),
      trainer_(context, options, data, std::move(plan)),
      last_step_(total_steps(options, trainer_.steps_per_epoch())),
      config_(to_toml(options, resolved_comments(context, options))),
      log_tail_(open_file(run.log_path(), O_WRONLY | O_CREAT | O_APPEND)),
      writes_(background_, 0) {
  if (start.checkpoint) {
    trainer_.load(run_.checkpoint_path(*start.checkpoint));
    saved_step_ = taken_step_ = *start.checkpoint;
  }
  if (!start.is_new && read_text_file(run_.config_path()) != config_) {
    run_.write_config(config_);  // the options may extend the run
  }
  if (start.checkpoint && run_.latest_checkpoint() != start.checkpoint) {
    run_.set_latest(*start.checkpoint);  // a person went back; a kill before the next checkpoint must not undo that
  }
  first_step_ = trainer_.steps_done();
  if (draws_pictures(trainer_.recipe().sampling())) {
    const auto add = [&](std::optional<SheetSampler>& sheet, Parameters::Block block) {
      sheet.emplace(context, trainer_.queue(), trainer_.sampling(), block, options.seed, sheet_of(options));
    };
    add(average_, Parameters::Block::average);
    add(raw_, Parameters::Block::master);
  }
  if (std::optional<Sampling> reconstruction = trainer_.recipe().reconstruction()) {
    reconstructions_.emplace(options, held_out != nullptr ? *held_out : main_, trainer_, std::move(*reconstruction));
  }
  if (held_out != nullptr) {
    held_out_.emplace(context, *trainer_.recipe().held_out(), *held_out, trainer_.networks(),
                      trainer_.memory().storage());
  }
  writes_.note_good(first_step_);
  const auto resumed_at = start.is_new ? std::nullopt : std::optional(first_step_);
  metrics_.emplace(run_.metrics_path(), resumed_at);
  events_.emplace(run_.path(), resumed_at, metrics_->kept());
  recall_measured();
  trainer_.on_row([this](std::int64_t step, std::span<const float> values) { on_row(step, values); });
  trainer_.on_tuned([this](const std::string& report) { progress_.message(report); });
  announce(start);
  InterruptGuard::tell(log_tail_.get());
  if (trainer_.reserve_snapshot() == Trainer::SnapshotRoom::lacking) {
    progress_.message(kNoSnapshotRoom);
  }
}

TrainingLoop::~TrainingLoop() {
  InterruptGuard::tell(-1);
}

void TrainingLoop::announce(const RunStart& start) {
  if (const std::string why = why_not_cuda(options_.device); !why.empty() && Context::has_cuda()) {
    progress_.message(fmt::format("device auto is the CPU: {}", why));
  }
  progress_.message(fmt::format("{} on {}: {} pictures of {}x{}x{}{}, preset {}, {} to step {}, {}",
                                run_.path().string(), context_.name(), main_.count(), picture_[1], picture_[2],
                                picture_[3], trainer_.streams_pictures() ? ", streamed" : "", options_.preset,
                                start.text, last_step_, options_.precision));
  for (const std::string& note : start.notes) {
    progress_.message(note);
  }
  for (const std::string& warning : run_.warnings()) {
    warn(warning);
  }
  for (const std::string& warning : metrics_->take_warnings()) {
    warn(warning);
  }
  say_warnings();
  if (const std::vector<KernelDecision> decisions = context_.kernel_decisions(); !decisions.empty()) {
    progress_.message(summary(decisions));
  }
}

int TrainingLoop::run() {
  const InterruptGuard guard;
  begin_ = Clock::now();
  if (trainer_.steps_done() == 0) {
    take_samples();
  }
  while (trainer_.steps_done() < last_step_ && !InterruptGuard::requested()) {
    trainer_.run_to(next_stop(), InterruptGuard::requested);
    if (is_measured_at(trainer_.steps_done())) {
      measure_held_out();
    }
    if (is_due(options_.output.samples_every, trainer_.steps_done())) {
      take_samples();
    }
    if (is_due(options_.output.checkpoint_every, trainer_.steps_done())) {
      take_checkpoint();
    }
    say_warnings();
  }
  const bool is_finished = trainer_.steps_done() >= last_step_;
  if (!is_finished) {
    progress_.message(fmt::format("{}: stops at step {}, and writes a checkpoint", InterruptGuard::signal_name(),
                                  trainer_.steps_done()));
  }
  trainer_.drain();
  const double seconds = seconds_since(begin_);
  if (taken_step_ != trainer_.steps_done()) {
    take_checkpoint();
  }
  writes_.finish();
  if (saved_step_ != trainer_.steps_done()) {  // its turn did not come again: once more
    take_checkpoint();
    writes_.finish();
  }
  try_logs("rows of metrics.jsonl", [&] { metrics_->sync(); });
  say_warnings();
  require_saved();
  progress_.message(report(seconds));
  return is_finished ? 0 : kInterruptedExitCode;
}

void TrainingLoop::require_saved() const {
  if (saved_step_ == trainer_.steps_done()) {
    return;
  }
  throw_error(Error::Kind::data, "{}; training stopped at step {}, and {}; make room and continue with --resume",
              checkpoint_fault_, trainer_.steps_done(),
              saved_step_ < 0 ? "there is no checkpoint yet"
                              : fmt::format("its last checkpoint is of step {}", saved_step_.load()));
}

std::string TrainingLoop::report(double seconds) const {
  const bool finished = trainer_.steps_done() >= last_step_;
  const double waited = trainer_.waited_seconds();
  return fmt::format("{} at step {} after {}{}; checkpoint {}",
                     finished ? "done" : fmt::format("interrupted by {}", InterruptGuard::signal_name()),
                     trainer_.steps_done(), duration_text(seconds_since(begin_)),
                     waited > 0.01 * seconds
                         ? fmt::format(", {:.0f}% of it waiting for pictures to stream", 100 * waited / seconds)
                         : "",
                     run_.checkpoint_path(trainer_.steps_done()).string());
}

// The progress belongs to the training's thread; the other one leaves word.
void TrainingLoop::warn(const std::string& text) {
  const std::lock_guard lock(warnings_mutex_);
  warnings_.push_back(fmt::format("warning: {}", text));
}

void TrainingLoop::warn_once(const std::string& kind, const std::string& reason) {
  const std::lock_guard lock(warnings_mutex_);
  if (warned_.insert(kind).second) {
    warnings_.push_back(fmt::format("warning: {} cannot be written, and training goes on: {}", kind, reason));
  }
}

void TrainingLoop::say_warnings() {
  std::vector<std::string> warnings;
  {
    const std::lock_guard lock(warnings_mutex_);
    warnings.swap(warnings_);
  }
  for (const std::string& warning : warnings) {
    progress_.message(warning);
  }
}

void TrainingLoop::try_logs(const char* kind, const std::function<void()>& write) {
  const std::lock_guard lock(logs_mutex_);
  try {
    write();
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::data) {
      throw;
    }
    warn_once(kind, error.what());
  }
  for (const std::string& warning : metrics_->take_warnings()) {
    warn(warning);
  }
}

bool TrainingLoop::is_due(int every, std::int64_t step) const {
  return step == last_step_ || (every > 0 && step % every == 0);
}

// The next step behind which something of the state is taken.
std::int64_t TrainingLoop::next_stop() const {
  std::int64_t stop = last_step_;
  for (const int every : {options_.output.samples_every, options_.output.checkpoint_every,
                          held_out_ ? options_.train.evaluate_every : 0}) {
    if (every > 0) {
      stop = std::min(stop, (trainer_.steps_done() / every + 1) * every);
    }
  }
  return stop;
}

void TrainingLoop::on_row(std::int64_t step, std::span<const float> values) {
  check_finite(step, values);
  say_warnings();
  progress_.update(progress_state(step, values));
  if (is_measured_at(step)) {
    waiting_row_.assign(values.begin(), values.end());
  } else if (is_due(options_.output.metrics_every, step)) {
    write_metrics(step, values);
  } else {
    const std::lock_guard lock(logs_mutex_);
    events_->flush_if_due();
  }
  if (is_due(options_.output.log_every, step)) {
    progress_.log_step(progress_state(step, values));
  }
  writes_.note_good(step);  // last: a checkpoint is published behind the rows up to its step
}

ProgressState TrainingLoop::progress_state(std::int64_t step, std::span<const float> values) const {
  const double seconds = std::max(1e-9, seconds_since(begin_));
  const double steps_per_second = static_cast<double>(step - first_step_) / seconds;
  const std::int64_t epochs = (last_step_ + trainer_.steps_per_epoch() - 1) / trainer_.steps_per_epoch();
  return {step,
          last_step_,
          trainer_.steps_per_epoch(),
          epochs,
          steps_per_second * options_.train.batch,
          static_cast<double>(last_step_ - step) / steps_per_second,
          trainer_.metric_names(),
          values,
          measured_};
}

bool TrainingLoop::is_measured_at(std::int64_t step) const {
  return held_out_ && is_due(options_.train.evaluate_every, step);
}

void TrainingLoop::measure_held_out() {
  trainer_.drain();  // the row of the step has come then, too
  const std::int64_t step = trainer_.steps_done();
  const HeldOut::Result result = held_out_->measure(context_);
  measured_ = result.numbers;
  write_metrics(step, waiting_row_, measured_);
  std::string text;
  for (const auto& [name, value] : measured_) {
    text += fmt::format("{} {} {:.4g}", text.empty() ? "" : ",", name, value);
  }
  progress_.message(fmt::format("step {}:{} on {} pictures", step, text, held_out_->source().count()));
  if (step == last_step_ && !result.report.empty()) {
    progress_.message(result.report);
  }
}

// A run that goes on shows what it had measured.
void TrainingLoop::recall_measured() {
  if (!held_out_) {
    return;
  }
  for (const MetricsRow& row : metrics_->kept()) {
    std::vector<NamedNumber> numbers;
    for (const auto& [name, value] : row.metrics) {
      if (std::find(held_out_->metrics().begin(), held_out_->metrics().end(), name) != held_out_->metrics().end()) {
        numbers.emplace_back(name, value);
      }
    }
    measured_ = numbers.empty() ? measured_ : numbers;
  }
}

void TrainingLoop::check_finite(std::int64_t step, std::span<const float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (trainer_.has_metric(step, i) && !std::isfinite(values[i])) {
      writes_.finish();  // a checkpoint of an earlier step may be on its way
      const auto latest = run_.latest_checkpoint();
      throw_error(
          Error::Kind::non_finite,
          "training: {} is {} at step {}; {}. A lower learning rate or optimizer.clip_norm may help",
          trainer_.metric_names()[i], values[i], step,
          latest ? fmt::format("the checkpoint of step {} is intact", *latest) : "no checkpoint was written yet");
    }
  }
}

void TrainingLoop::write_metrics(std::int64_t step, std::span<const float> values, std::span<const NamedNumber> more) {
  std::vector<Metric> row;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (trainer_.has_metric(step, i)) {
      row.push_back({trainer_.metric_names()[i], static_cast<double>(values[i])});
    }
  }
  for (const auto& [name, value] : more) {
    row.push_back({name, value});
  }
  try_logs("TensorBoard's events", [&] {
    for (const Metric& metric : row) {
      events_->scalar(metric.name, step, metric.value);
    }
  });
  try_logs("rows of metrics.jsonl",
           [&] { metrics_->append(step, (step - 1) / trainer_.steps_per_epoch() + 1, seconds_since(begin_), row); });
}

void TrainingLoop::take(Snapshot& snapshot, Background::Job write) {
  if (snapshot.is_taken()) {
    // The last one has not been written yet, and nothing of it may be lost. Room for a second one would only put the
    // wait off: they are due more often than they can be written.
    trainer_.drain();
    writes_.finish();
  }
  writes_.add(trainer_.steps_done(), snapshot, std::move(write));
}

void TrainingLoop::take_samples() {
  if (!average_) {
    return;
  }
  const auto take_sheet = [this, step = trainer_.steps_done()](Snapshot& sheet, const char* suffix, const char* tag) {
    take(sheet,
         [=, this, &sheet] { write_sheet(floats_of(sheet.bytes()), options_.output.sample_rows, step, suffix, tag); });
  };
  take_sheet(average_->snapshot(), "", "samples/average");
  take_sheet(raw_->snapshot(), "_raw", "samples/raw");
  if (reconstructions_) {
    take(reconstructions_->snapshot(), [this, step = trainer_.steps_done()] {
      write_sheet(reconstructions_->sheet(), reconstructions_->rows(), step, "_reconstructions",
                  "samples/reconstructions");
    });
  }
}

void TrainingLoop::take_checkpoint() {
  taken_step_ = trainer_.steps_done();
  take(trainer_.snapshot(), [this, state = trainer_.state()] { write_state(state); });
}

void TrainingLoop::write_sheet(std::span<const float> values, int rows, std::int64_t step, const char* suffix,
                               const char* tag) {
  const int columns = options_.output.sample_columns;
  const Picture sheet = sample_grid(values, rows * columns, picture_[1], picture_[2], picture_[3], rows, columns);
  const std::vector<std::uint8_t> png = encode_png(sheet);
  const std::filesystem::path path = run_.sample_path(step);
  try {
    restore();
    write_file_atomically(path.parent_path() / (path.stem().string() + suffix + ".png"), std::as_bytes(std::span(png)));
  } catch (const Error& error) {
    warn_once("sample sheets", error.what());
  }
  try_logs("TensorBoard's events", [&] {
    events_->image(tag, step, std::as_bytes(std::span(png)), sheet.height, sheet.width, sheet.channels);
    events_->flush();
  });
}

void TrainingLoop::restore() {
  for (const std::string& made : run_.restore(config_)) {
    warn(made);
  }
  const std::lock_guard lock(logs_mutex_);
  std::error_code ignored;
  if (!std::filesystem::exists(events_->path(), ignored)) {
    warn(fmt::format("{}: had vanished; TensorBoard's events go on in a new file", events_->path().string()));
    events_.emplace(run_.path());
  }
}

// A disk that is full now may have room when the next checkpoint is due.
void TrainingLoop::write_state(const CheckpointState& state) {
  try {
    try {
      write_checkpoint_files(state);
    } catch (const Error&) {
      // Perhaps there is room without the oldest, which would have gone behind this one.
      const int keep_last = options_.output.keep_last;
      const std::size_t before = run_.checkpoints().size();
      if (keep_last > 1) {
        run_.prune_checkpoints(keep_last - 1, options_.output.keep_every);
      }
      if (run_.checkpoints().size() == before) {
        throw;
      }
      write_checkpoint_files(state);
    }
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::data) {
      throw;
    }
    checkpoint_fault_ = error.what();
    warn(fmt::format("the checkpoint of step {} cannot be written, and is tried again when the next is due: {}",
                     state.step, error.what()));
    return;
  }
  saved_step_ = state.step;
  try {
    run_.prune_checkpoints(options_.output.keep_last, options_.output.keep_every);
  } catch (const Error& error) {
    warn_once("the removal of old checkpoints", error.what());
  }
}

void TrainingLoop::write_checkpoint_files(const CheckpointState& state) {
  restore();
  bool lacks_room = false;
  try_logs("rows of metrics.jsonl", [&] {
    try {
      metrics_->sync();
    } catch (const Error&) {
      lacks_room = metrics_->lacks_room();
      throw;
    }
  });
  try_logs("TensorBoard's events", [&] { events_->flush(); });
  if (lacks_room) {  // a resume there would lack rows for ever
    throw_error(Error::Kind::data, "{}: there is no room for the rows up to step {}", run_.metrics_path().string(),
                state.step);
  }
  AtomicFolder folder = run_.begin_checkpoint(state.step);
  write_checkpoint(trainer_.blocks(), trainer_.snapshot().bytes(), state, folder.path());
  write_file_atomically(folder.path() / run_.config_path().filename(), config_);
  constexpr int kAll = 0;  // pruned by the caller, for whom it is no fault of this checkpoint
  run_.publish_checkpoint(std::move(folder), kAll, 0);
}

}  // namespace duel
