#include "host/report/run_report.h"

#include "host/config/configuration.h"
#include "host/config/option_keys.h"
#include "host/config/preset_files.h"
#include "host/config/presets.h"
#include "host/data/open_dataset.h"
#include "host/files/file_descriptor.h"
#include "host/pictures/png.h"
#include "host/recipes/unread_keys.h"
#include "host/run/checkpoint_manifest.h"
#include "host/run/run_directory.h"
#include "host/sample/classify.h"
#include "kernels/check.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <system_error>

namespace duel {

namespace {

namespace fs = std::filesystem;

// Reads one part of the run. Whatever is wrong with it, the report goes on without it and says so.
template <class Read>
void attempt(RunReport& report, const std::string& what, Read&& read) {
  try {
    read();
  } catch (const std::exception& error) {
    report.problems.push_back(fmt::format("{}: {}", what, error.what()));
  }
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? ""
                                         : std::string(text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin));
}

// The comments that config.toml begins with: "#   CPU threads            2", the name in 22 columns.
std::vector<std::pair<std::string, std::string>> environment_of(std::string_view config) {
  constexpr std::string_view kPrefix = "#   ";
  constexpr std::size_t kNameColumns = 22;
  std::vector<std::pair<std::string, std::string>> facts;
  while (config.starts_with('#')) {
    std::string_view line = config.substr(0, config.find('\n'));
    config.remove_prefix(std::min(config.size(), line.size() + 1));
    if (line.starts_with(kPrefix) && line.size() > kPrefix.size() + kNameColumns) {
      line.remove_prefix(kPrefix.size());
      facts.emplace_back(trimmed(line.substr(0, kNameColumns)), trimmed(line.substr(kNameColumns)));
    }
  }
  return facts;
}

void read_configuration(RunReport& report, const RunDirectory& run, std::optional<std::int64_t> checkpoint) {
  fs::path file = run.config_path();
  if (!is_there(file) && checkpoint) {
    report.problems.push_back("config.toml: is missing; the options are those of the latest checkpoint");
    file = run.config_path(*checkpoint);
  }
  attempt(report, "configuration", [&] {
    report.config_text = read_text_file(file);
    report.environment = environment_of(report.config_text);
    report.options = options_from_toml(report.config_text, file.string());
    const std::vector<std::string_view> names = preset_names();
    if (std::find(names.begin(), names.end(), report.options->preset) != names.end()) {
      report.changes = option_changes(preset(report.options->preset), *report.options);
    }
  });
}

// The learning rates at the steps of the rows, as the configuration has them now.
void add_learning_rates(RunReport& report, std::span<const MetricsRow> rows) {
  for (const OptionKey& key : option_keys()) {
    const auto* option = std::get_if<ScheduledOption>(&key.kind);
    if (option == nullptr || !key.name.ends_with("learning_rate") || !reads_key(*report.options, key.name) ||
        report.planned_steps <= 0) {
      continue;
    }
    const Schedule schedule =
        resolve(key.name, option->field.get(*report.options), report.planned_steps, report.options->train.batch);
    std::vector<CurveSample> samples;
    for (const MetricsRow& row : rows) {
      samples.push_back({row.step, row.seconds, value_at(schedule, std::max<std::int64_t>(row.step - 1, 0))});
    }
    Curve curve = make_curve(std::string(key.name), samples);
    curve.label = key.name.find("generator") != std::string_view::npos       ? "generator"
                  : key.name.find("discriminator") != std::string_view::npos ? "discriminator"
                                                                             : "all weights";
    report.curves.push_back(std::move(curve));
  }
}

std::optional<double> recent_speed(std::span<const MetricsRow> rows, int batch) {
  if (rows.size() < 2) {
    return std::nullopt;
  }
  const MetricsRow& from = rows[rows.size() - 1 - std::max<std::size_t>(rows.size() / 10, 1)];
  const MetricsRow& to = rows.back();
  const double seconds = to.seconds - from.seconds;
  return seconds > 0 ? std::optional(static_cast<double>((to.step - from.step) * batch) / seconds) : std::nullopt;
}

void read_rows(RunReport& report, const RunDirectory& run) {
  if (!is_there(run.metrics_path())) {
    report.problems.push_back("metrics.jsonl: is missing, so there are no curves");
    return;
  }
  attempt(report, "curves", [&] {
    const MetricsRead read = read_metrics(run.metrics_path());
    if (!read.damaged_lines.empty()) {
      report.problems.push_back(fmt::format(
          "metrics.jsonl: what is no whole row is left out: {} {}, the first is line {}", read.damaged_lines.size(),
          read.damaged_lines.size() == 1 ? "line" : "lines", read.damaged_lines.front()));
    }
    if (read.rows.empty()) {
      std::error_code ignored;
      if (fs::file_size(run.metrics_path(), ignored) > 0) {
        report.problems.push_back("metrics.jsonl: has no whole row");
      }
      return;
    }
    report.step = read.rows.back().step;
    report.seconds = read.rows.back().seconds;
    report.health = health_marks_of(read.rows);
    const int batch = report.options ? report.options->train.batch : 0;
    report.curves = curves_of(read.rows, batch);
    if (batch == 0) {
      std::erase_if(report.curves, [](const Curve& curve) { return curve.group == "speed"; });
      return;
    }
    report.pictures_per_second = recent_speed(read.rows, batch);
    attempt(report, "learning rates", [&] { add_learning_rates(report, read.rows); });
  });
  for (const Curve& curve : report.curves) {
    if (curve.not_finite > 0) {
      report.problems.push_back(fmt::format("metrics.jsonl: {} is not finite in {} of {} rows, first at step {}",
                                            curve.name, curve.not_finite, curve.rows, curve.first_not_finite));
    }
  }
}

void read_log(RunReport& report, const RunDirectory& run) {
  attempt(report, "log", [&] { report.log = parse_run_log(read_text_file(run.log_path())); });
  report.planned_steps = report.log.planned_steps;
  if (report.planned_steps == 0 && report.options) {
    report.planned_steps = report.options->train.steps;
  }
}

// Reads the sheets that are kept, because a report must not hold a picture that does not open.
void check_sheets(RunReport& report, SheetSeries& series, const std::optional<Shape>& picture) {
  std::erase_if(series.sheets, [&](Sheet& sheet) {
    bool is_broken = true;
    attempt(report, "sample sheet", [&] {
      const Picture read = read_png(sheet.file);
      sheet.height = read.height;
      sheet.width = read.width;
      is_broken = false;
    });
    return is_broken;
  });
  for (const Sheet& sheet : series.sheets) {
    const std::optional<SheetShape> shape =
        picture ? sheet_shape(sheet.height, sheet.width, (*picture)[1], (*picture)[2]) : std::nullopt;
    const bool agrees =
        shape && (!series.shape || (series.shape->rows == shape->rows && series.shape->columns == shape->columns));
    series.shape = shape;
    if (!agrees) {
      series.shape.reset();
      break;
    }
  }
}

void read_sheets(RunReport& report, const RunDirectory& run, const GatherRequest& request,
                 const std::optional<Shape>& picture) {
  attempt(report, "sample sheets", [&] {
    report.sheets = list_sheets(run.samples_path());
    for (SheetSeries& series : report.sheets) {
      thin_sheets(series, request.most_sheets, request.sheet_bytes / report.sheets.size());
      check_sheets(report, series, picture);
    }
  });
}

// What the checkpoint says of the data: the shape of a picture, and the classes that a sheet's rows take in turn.
std::optional<Shape> read_manifest_of(RunReport& report, const RunDirectory& run, std::int64_t checkpoint) {
  std::optional<Shape> shape;
  attempt(report, "checkpoint", [&] {
    const fs::path folder = run.checkpoint_path(checkpoint);
    const CheckpointState state = read_manifest(folder);
    report.step = std::max(report.step, state.step);
    report.trained_on = state.data;
    shape = picture_shape(state, folder);
    const auto main = state.fields.find("main");
    if (main == state.fields.end() || !report.options || report.options->recipe != "gan" ||
        !report.options->data.labels) {
      return;
    }
    for (const Field& field : main->second) {
      if (field.kind == FieldKind::label) {
        report.sheet_classes = field.names;
      }
    }
  });
  return shape;
}

void read_data(RunReport& report, const GatherRequest& request) {
  attempt(report, "data", [&] {
    const Data data = open_dataset(report.options->data, {report.options->threads, request.progress});
    const Source& main = main_source(data);
    report.data = report_data(main, open_held_out(report.options->data, main).get(), report.options->recipe);
  });
}

void measure_confusion(RunReport& report, const GatherRequest& request) {
  attempt(report, "classes taken for others", [&] {
    Classified classified = classify({.run = request.run,
                                      .files = {},
                                      .held_out = true,
                                      .data = {},
                                      .step = {},
                                      .where = request.where,
                                      .progress = request.progress});
    report.confusion = std::move(classified.judged->confusion);  // tags have none
    report.confusion_step = classified.step;
  });
}

RunState state_of(const RunReport& report, const RunDirectory& run) {
  if (run.is_being_trained()) {
    return RunState::training;
  }
  switch (report.log.end) {
    case RunLog::End::done: return RunState::done;
    case RunLog::End::interrupted: return RunState::interrupted;
    case RunLog::End::failed: return RunState::failed;
    case RunLog::End::none: break;
  }
  return RunState::silent;
}

}  // namespace

const char* state_name(RunState state) {
  switch (state) {
    case RunState::training: return "training";
    case RunState::done: return "done";
    case RunState::interrupted: return "interrupted";
    case RunState::failed: return "failed";
    case RunState::silent: break;
  }
  return "silent";
}

RunReport gather_run(const GatherRequest& request) {
  const RunDirectory run = RunDirectory::open_remains(request.run);
  RunReport report;
  fs::path path = fs::absolute(run.path()).lexically_normal();
  path = path.has_filename() ? path : path.parent_path();  // of "runs/a/"
  report.path = path.string();
  report.name = path.filename().string();
  std::optional<std::int64_t> checkpoint;
  attempt(report, "checkpoints", [&] { checkpoint = run.latest_checkpoint(); });
  read_configuration(report, run, checkpoint);
  read_log(report, run);
  read_rows(report, run);
  report.state = state_of(report, run);
  std::optional<Shape> picture;
  if (checkpoint) {
    picture = read_manifest_of(report, run, *checkpoint);
  }
  if (request.reads_data && report.options) {
    read_data(report, request);
    if (report.options->recipe == "classify" && checkpoint && report.data) {
      measure_confusion(report, request);
    }
  }
  if (!picture && report.data) {
    picture = report.data->picture;
  }
  read_sheets(report, run, request, picture);
  if (const fs::path file = run.path() / "evaluation.json"; is_there(file)) {
    attempt(report, "evaluation", [&] { report.evaluation = parse_evaluation(read_text_file(file), file); });
  }
  return report;
}

}  // namespace duel
