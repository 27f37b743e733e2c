#include "host/train/training_loop.h"

#include "host/config/configuration.h"
#include "host/device/choice_cache.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/pictures/sample_grid.h"
#include "host/recipes/registry.h"
#include "host/run/interrupt.h"
#include "host/train/memory_check.h"
#include "kernels/check.h"

#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace duel {

namespace {

SheetShape sheet_of(const Options& options) {
  return {options.output.sample_rows, options.output.sample_columns};
}

Shape shape_of_pictures(const Recipe& recipe, const Source& main) {
  const Sampling sampling = recipe.sampling();
  return draws_pictures(sampling) || recipe.translation() ? sampling.outputs[0].shape
                                                          : field_named(main, recipe.batches().front().field).shape;
}

// The classes of a sheet's rows, or of rows of the data; one for all where the recipe knows none.
bool knows_classes(const Sampling& sampling) {
  return std::any_of(sampling.inputs.begin(), sampling.inputs.end(),
                     [](const Field& input) { return input.kind == FieldKind::attributes; });
}

// How far the data's pictures differ, as spread_within() has it, from the first of them. 0 where they are not bytes.
double spread_of_data(const Source& source, bool by_class) {
  constexpr std::int64_t kRows = 256;
  if (!has_field(source, "picture") || field_named(source, "picture").dtype != DType::u8) {
    return 0;
  }
  const std::size_t picture = field_index(source, "picture");
  const bool has_labels = by_class && has_field(source, "label");
  const Field& field = source.fields()[picture];
  std::vector<std::byte> row(field.row_bytes());
  std::vector<float> pictures;
  std::vector<int> groups;
  const std::int64_t count = std::min(kRows, source.count());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = i * source.count() / count;  // of all classes, where they lie one behind the other
    source.read(at, picture, row.data());
    for (const std::byte value : row) {
      pictures.push_back(static_cast<float>(value) / field.scale.divisor + field.scale.shift);
    }
    std::int32_t label = 0;
    if (has_labels) {
      source.read(at, field_index(source, "label"), reinterpret_cast<std::byte*>(&label));
    }
    groups.push_back(label);
  }
  return spread_within(pictures, groups);
}

std::span<const float> floats_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

}  // namespace

TrainingLoop::TrainingLoop(const Options& options, const RunStart& start, Context& context, const Data& data,
                           const Source* held_out, PictureJudge* judge, TrainingPlan plan, RunDirectory& run)
    : options_(options),
      context_(context),
      main_(counted_source(*plan.recipe, data)),
      picture_(shape_of_pictures(*plan.recipe, main_)),
      run_(run),
      progress_(run.log_path().string()),
      trainer_(context, options, data, std::move(plan)),
      last_step_(total_steps(options, trainer_.steps_per_epoch())),
      log_tail_(open_file(run.log_path(), O_WRONLY | O_CREAT | O_APPEND)),
      writes_(background_, 0) {
  if (start.checkpoint) {
    trainer_.load(run_.checkpoint_path(*start.checkpoint));
    taken_step_ = *start.checkpoint;
  } else {
    trainer_.load_pretrained();
  }
  std::string config = to_toml(options, resolved_comments(context, options));
  if (!start.is_new && read_text_file(run_.config_path()) != config) {
    run_.write_config(config);  // the options may extend the run
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
  if (std::optional<Sampling> translation = trainer_.recipe().translation()) {
    comparisons_.emplace(options, held_out != nullptr ? *held_out : main_, trainer_, std::move(*translation));
  }
  if (held_out != nullptr && trainer_.recipe().held_out()) {
    held_out_.emplace(context, *trainer_.recipe().held_out(), *held_out, trainer_.networks(),
                      trainer_.memory().storage());
  }
  row_health_.names = trainer_.metric_names();
  row_health_.has_opinions = options.loss.kind != "wgan";
  writes_.note_good(first_step_);
  files_.emplace(run_, std::move(config), options.output, start.is_new ? std::nullopt : std::optional(first_step_));
  if (start.checkpoint) {
    files_->note_saved(*start.checkpoint);
  }
  if (judge != nullptr) {
    judge->attach(trainer_.sampling(), picture_);
    evaluation_.emplace(options.evaluate, *judge, run_, files_->kept_rows(), first_step_);
  }
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
  for (const std::string& note : evaluation_ ? evaluation_->notes() : std::vector<std::string>()) {
    progress_.message(note);
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
  while (trainer_.steps_done() < last_step_ && !has_plateaued() && !InterruptGuard::requested()) {
    trainer_.run_to(next_stop(), InterruptGuard::requested);
    const std::int64_t step = trainer_.steps_done();
    const bool is_best = is_measured_at(step) && measure();
    if (is_due(options_.output.samples_every, step) || has_plateaued()) {
      take_samples();
    }
    if (is_due(options_.output.checkpoint_every, step) || is_best || has_plateaued()) {
      take_checkpoint();
    }
    say_warnings();
  }
  const bool is_finished = trainer_.steps_done() >= last_step_ || has_plateaued();
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
  if (files_->saved_step() != trainer_.steps_done()) {  // its turn did not come again: once more
    take_checkpoint();
    writes_.finish();
  }
  files_->sync_rows();
  say_warnings();
  files_->require_saved(trainer_.steps_done());
  progress_.message(report(seconds));
  return is_finished ? 0 : kInterruptedExitCode;
}

std::string TrainingLoop::report(double seconds) const {
  const bool finished = trainer_.steps_done() >= last_step_;
  const double waited = trainer_.waited_seconds();
  const std::string best = evaluation_ ? evaluation_->end_text() : "";
  const std::string end =
      finished          ? "done"
      : has_plateaued() ? fmt::format("plateau: {} evaluations without a new best (--stop-when never goes on); ended",
                                      options_.evaluate.patience)
                        : fmt::format("interrupted by {}", InterruptGuard::signal_name());
  return fmt::format(
      "{} at step {} after {}{}; checkpoint {}{}", end, trainer_.steps_done(), duration_text(seconds_since(begin_)),
      waited > 0.01 * seconds ? fmt::format(", {:.0f}% of it waiting for pictures to stream", 100 * waited / seconds)
                              : "",
      run_.checkpoint_path(trainer_.steps_done()).string(), best.empty() ? "" : "; " + best);
}

// The progress belongs to the training's thread; the other one leaves word.
void TrainingLoop::say_warnings() {
  for (const std::string& warning : files_->take_warnings()) {
    progress_.message(warning);
  }
}

bool TrainingLoop::is_due(int every, std::int64_t step) const {
  return step == last_step_ || (every > 0 && step % every == 0);
}

// The next step behind which something of the state is taken.
std::int64_t TrainingLoop::next_stop() const {
  std::int64_t stop = last_step_;
  for (const int every : {options_.output.samples_every, options_.output.checkpoint_every,
                          held_out_ ? options_.train.evaluate_every : 0, evaluation_ ? options_.evaluate.every : 0}) {
    if (every > 0) {
      stop = std::min(stop, (trainer_.steps_done() / every + 1) * every);
    }
  }
  return stop;
}

void TrainingLoop::on_row(std::int64_t step, std::span<const float> values) {
  check_finite(step, values);
  look_at_row(step, values);
  say_warnings();
  progress_.update(progress_state(step, values));
  if (is_measured_at(step)) {
    waiting_row_.assign(values.begin(), values.end());
  } else if (is_due(options_.output.metrics_every, step)) {
    write_metrics(step, values);
  } else {
    files_->flush_if_due();
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

bool TrainingLoop::is_held_out_measured_at(std::int64_t step) const {
  return held_out_ && is_due(options_.train.evaluate_every, step);
}

bool TrainingLoop::is_evaluated_at(std::int64_t step) const {
  return evaluation_ && is_due(options_.evaluate.every, step);
}

bool TrainingLoop::is_measured_at(std::int64_t step) const {
  return is_held_out_measured_at(step) || is_evaluated_at(step);
}

// Returns whether the checkpoint of this step is to be kept as the best.
bool TrainingLoop::measure() {
  trainer_.drain();  // the row of the step has come then, too
  const std::int64_t step = trainer_.steps_done();
  std::vector<NamedNumber> numbers;
  if (is_held_out_measured_at(step)) {
    numbers = measure_held_out();
  }
  bool is_best = false;
  if (is_evaluated_at(step)) {
    const RunEvaluation::Result result = evaluation_->evaluate(step);
    numbers.insert(numbers.end(), result.numbers.begin(), result.numbers.end());
    progress_.message(result.text);
    is_best = result.is_best;
  }
  write_metrics(step, waiting_row_, numbers);
  remember(numbers);
  return is_best;
}

std::vector<NamedNumber> TrainingLoop::measure_held_out() {
  const std::int64_t step = trainer_.steps_done();
  const HeldOut::Result result = held_out_->measure(context_);
  std::string text;
  for (const auto& [name, value] : result.numbers) {
    text += fmt::format("{} {} {:.4g}", text.empty() ? "" : ",", name, value);
  }
  progress_.message(fmt::format("step {}:{} on {} pictures", step, text, held_out_->source().count()));
  if (step == last_step_ && !result.report.empty()) {
    progress_.message(result.report);
  }
  return result.numbers;
}

// To be shown until it is measured again.
void TrainingLoop::remember(const std::vector<NamedNumber>& numbers) {
  for (const auto& [name, value] : numbers) {
    const bool is_held_out = held_out_ && std::find(held_out_->metrics().begin(), held_out_->metrics().end(), name) !=
                                              held_out_->metrics().end();
    if (!is_held_out && !(evaluation_ && RunEvaluation::is_figure(name))) {
      continue;
    }
    const auto its =
        std::find_if(measured_.begin(), measured_.end(),
                     [&, key = std::cref(name)](const NamedNumber& one) { return one.first == key.get(); });
    if (its == measured_.end()) {
      measured_.emplace_back(name, value);
    } else {
      its->second = value;
    }
  }
}

// A run that goes on shows what it had measured.
void TrainingLoop::recall_measured() {
  for (const MetricsRow& row : files_->kept_rows()) {
    remember(row.metrics);
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

void TrainingLoop::look_at_row(std::int64_t step, std::span<const float> values) {
  std::vector<float> measured(values.begin(), values.end());
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (!trainer_.has_metric(step, i)) {
      measured[i] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  note_health(note_row(row_health_, step, measured));
}

// Of the generator itself: its average follows late.
void TrainingLoop::look_at_sheet(std::int64_t step, std::span<const float> values) {
  const bool by_class = knows_classes(trainer_.recipe().sampling());
  if (!data_spread_) {
    data_spread_ = spread_of_data(main_, by_class);
  }
  std::vector<int> groups;
  for (int place = 0; place < options_.output.sample_rows * options_.output.sample_columns; ++place) {
    groups.push_back(by_class ? place / options_.output.sample_columns : 0);
  }
  if (const double spread = spread_within(values, groups); *data_spread_ > 0 && spread > 0) {
    note_health(note_sheet(sheet_health_, step, spread / *data_spread_));
  }
}

void TrainingLoop::note_health(std::span<const HealthNote> notes) {
  const std::lock_guard lock(marks_mutex_);
  for (const HealthNote& note : notes) {
    health_marks_.emplace_back(std::string("health/") + ailment_name(note.ailment), note.begins ? 1 : 0);
    if (note.begins) {
      files_->warn(note.text);
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
  std::vector<NamedNumber> marks;
  {
    const std::lock_guard lock(marks_mutex_);
    marks.swap(health_marks_);
  }
  for (const auto& [name, value] : marks) {
    row.push_back({name, value});
  }
  files_->add_row(step, (step - 1) / trainer_.steps_per_epoch() + 1, seconds_since(begin_), row);
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
  if (comparisons_) {
    take(comparisons_->snapshot(), [this, step = trainer_.steps_done()] {
      const int panels = comparisons_->panels();
      const auto [rows, columns] = comparison_sheet(options_, panels);
      files_->write_sheet(sample_grid(comparisons_->sheet(), rows * columns, picture_[1], panels * picture_[2],
                                      picture_[3], rows, columns),
                          step, "", "samples/comparisons");
    });
  }
  if (!average_) {
    return;
  }
  take(average_->snapshot(), [this, step = trainer_.steps_done()] {
    write_sheet(floats_of(average_->snapshot().bytes()), options_.output.sample_rows, step, "", "samples/average");
  });
  take(raw_->snapshot(), [this, step = trainer_.steps_done()] {
    const std::span<const float> pictures = floats_of(raw_->snapshot().bytes());
    write_sheet(pictures, options_.output.sample_rows, step, "_raw", "samples/raw");
    look_at_sheet(step, pictures);
  });
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
  files_->write_sheet(sample_grid(values, rows * columns, picture_[1], picture_[2], picture_[3], rows, columns), step,
                      suffix, tag);
}

void TrainingLoop::write_state(const CheckpointState& state) {
  if (!files_->save(trainer_.blocks(), trainer_.snapshot().bytes(), state)) {
    if (evaluation_) {
      evaluation_->note_unsaved(state.step);
    }
    return;
  }
  if (evaluation_) {
    try {
      evaluation_->note_saved(state.step);
    } catch (const Error& error) {
      evaluation_->note_unsaved(state.step);
      files_->warn_once("which checkpoint is the best", error.what());
    }
  }
  files_->prune();
}

}  // namespace duel
