#include "host/report/report.h"

#include "host/config/option_keys.h"
#include "host/config/presets.h"
#include "host/files/file_descriptor.h"
#include "host/recipes/unread_keys.h"
#include "host/report/verdict.h"
#include "kernels/check.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

enum class Pictures : std::uint8_t { named, embedded };

// Six digits are more than a chart shows. What is not finite becomes null.
double rounded(double value) {
  return std::isfinite(value) ? std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr) : value;
}

Json rounded(const std::vector<double>& values) {
  Json array = Json::array();
  for (const double value : values) {
    array.push_back(rounded(value));
  }
  return array;
}

Json curves_json(const RunReport& run) {
  Json curves = Json::array();
  for (const Curve& curve : run.curves) {
    Json json = {{"name", curve.name},
                 {"label", curve.label},
                 {"group", curve.group},
                 {"rows", curve.rows},
                 {"not_finite", curve.not_finite},
                 {"last", rounded(curve.last)},
                 {"step", curve.step},
                 {"seconds", rounded(curve.seconds)},
                 {"mean", rounded(curve.mean)}};
    if (curve.rows > std::ssize(curve.step)) {  // a point stands for several rows
      json["low"] = rounded(curve.low);
      json["high"] = rounded(curve.high);
    }
    curves.push_back(std::move(json));
  }
  return curves;
}

Json groups_json(const RunReport& run) {
  Json groups = Json::array();
  std::vector<std::string> seen;
  for (const Curve& curve : run.curves) {
    if (std::find(seen.begin(), seen.end(), curve.group) == seen.end()) {
      const CurveGroup group = curve_group_of(curve.name);
      seen.push_back(group.id);
      groups.push_back(
          {{"id", group.id}, {"title", group.title}, {"unit", group.unit}, {"logarithmic", group.is_logarithmic}});
    }
  }
  return groups;
}

// Adds the file of a picture to `json`, by its name or whole; false where it cannot be read.
bool add_picture(Json& json, const std::filesystem::path& file, Pictures how) {
  if (how == Pictures::named) {
    json["file"] = file.string();
    return true;
  }
  try {
    json["src"] = png_uri(read_text_file(file));
    return true;
  } catch (const Error&) {  // a run that still trains may have lost it since
    return false;
  }
}

Json sheets_json(const RunReport& run, Pictures how) {
  Json all = Json::array();
  for (const SheetSeries& series : run.sheets) {
    Json items = Json::array();
    for (const Sheet& sheet : series.sheets) {
      Json item = {{"step", sheet.step}, {"bytes", sheet.bytes}, {"height", sheet.height}, {"width", sheet.width}};
      if (add_picture(item, sheet.file, how)) {
        items.push_back(std::move(item));
      }
    }
    Json json = {{"kind", series.kind}, {"title", series.title}, {"total", series.total}, {"items", items}};
    if (series.shape) {
      json["rows"] = series.shape->rows;
      json["columns"] = series.shape->columns;
    }
    all.push_back(std::move(json));
  }
  return all;
}

Json number_json(const std::optional<double>& number) {
  return number ? Json(rounded(*number)) : Json();
}

Json evaluation_json(const ReadEvaluation& evaluation, Pictures how) {
  Json json = {{"figures", Json::array()}, {"facts", Json::array()}, {"sheets", Json::array()}};
  for (const ReadFigure& figure : evaluation.figures) {
    json["figures"].push_back({{"group", figure.group},
                               {"name", figure.name},
                               {"value", number_json(figure.value)},
                               {"floor", number_json(figure.floor)},
                               {"note", figure.note}});
  }
  for (const auto& [name, value] : evaluation.facts) {
    json["facts"].push_back({name, value});
  }
  for (const auto& [title, file] : evaluation.sheets) {
    Json sheet = {{"title", title}};
    if (add_picture(sheet, file, how)) {
      json["sheets"].push_back(std::move(sheet));
    }
  }
  return json;
}

Json confusion_json(const Confusion& confusion, std::int64_t step) {
  Json by_class = Json::array();
  for (std::size_t label = 0; label < confusion.names.size(); ++label) {
    by_class.push_back(rounded(confusion.accuracy_of(label)));
  }
  return {{"step", step},
          {"names", confusion.names},
          {"counts", confusion.counts},
          {"accuracy", rounded(confusion.accuracy())},
          {"accuracy_by_class", by_class}};
}

Json configuration_json(const RunReport& run) {
  Json options = Json::array();
  if (!run.options) {
    return {{"preset", nullptr}, {"knows_preset", false}, {"options", options}, {"text", run.config_text}};
  }
  const std::optional<Options> before = run.changes ? std::optional(preset(run.options->preset)) : std::nullopt;
  for (const OptionKey& key : option_keys()) {
    options.push_back({{"key", key.name},
                       {"value", value_text(key, *run.options)},
                       {"preset", before ? Json(value_text(key, *before)) : Json()},
                       {"is_read", reads_key(*run.options, key.name)},
                       {"about", key.description}});
  }
  return {{"preset", run.options->preset}, {"knows_preset", before.has_value()}, {"options", options}};
}

Json lines_json(const std::vector<RunLog::Line>& lines) {
  Json json = Json::array();
  for (const RunLog::Line& line : lines) {
    json.push_back({{"time", line.time}, {"text", line.text}});
  }
  return json;
}

Json log_json(const RunLog& log) {
  return {{"starts", log.starts},
          {"first_time", log.first_time},
          {"last_time", log.last_time},
          {"warnings", lines_json(log.warnings)},
          {"events", lines_json(log.events)},
          {"older_events", log.older_events},
          {"tail", log.tail}};
}

Json run_json(const RunReport& run, Pictures how) {
  const Verdict verdict = verdict_of(run);
  Json health = Json::array();
  for (const HealthMark& mark : run.health) {
    health.push_back({{"name", mark.name}, {"step", mark.step}, {"begins", mark.begins}});
  }
  Json json = {{"name", run.name},
               {"path", run.path},
               {"state", state_name(run.state)},
               {"verdict", {{"mood", mood_name(verdict.mood)}, {"word", verdict.word}, {"text", verdict.text}}},
               {"step", run.step},
               {"planned_steps", run.planned_steps},
               {"seconds", rounded(run.seconds)},
               {"pictures_per_second", number_json(run.pictures_per_second)},
               {"trained_on", run.trained_on},
               {"problems", run.problems},
               {"groups", groups_json(run)},
               {"curves", curves_json(run)},
               {"health", health},
               {"sheets", sheets_json(run, how)},
               {"sheet_classes", run.sheet_classes},
               {"evaluation", evaluation_json(run.evaluation, how)},
               {"data", run.data ? Json::parse(to_json(*run.data)) : Json()},
               {"confusion", run.confusion ? confusion_json(*run.confusion, run.confusion_step) : Json()},
               {"configuration", configuration_json(run)},
               {"environment", run.environment},
               {"log", log_json(run.log)}};
  return json;
}

std::string json_text(const Report& report, Pictures how, int indent) {
  Json runs = Json::array(), differences = Json::array();
  for (const RunReport& run : report.runs) {
    runs.push_back(run_json(run, how));
  }
  for (const OptionDifference& difference : differences_of(report.runs)) {
    differences.push_back({{"key", difference.key}, {"values", difference.values}});
  }
  const Json json = {{"made", report.made}, {"version", report.version}, {"runs", runs}, {"differences", differences}};
  // Names of files and lines of a log need not be UTF-8; what is not becomes U+FFFD.
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::vector<OptionDifference> differences_of(const std::vector<RunReport>& runs) {
  std::vector<OptionDifference> differences;
  for (const OptionKey& key : option_keys()) {
    OptionDifference difference{std::string(key.name), {}};
    std::vector<std::string> known;
    for (const RunReport& run : runs) {
      difference.values.push_back(run.options ? value_text(key, *run.options) : "");
      if (run.options) {
        known.push_back(difference.values.back());
      }
    }
    if (std::adjacent_find(known.begin(), known.end(), std::not_equal_to<>()) != known.end()) {
      differences.push_back(std::move(difference));
    }
  }
  return differences;
}

std::string to_json(const Report& report) {
  return json_text(report, Pictures::named, 2);
}

std::string to_html(const Report& report) {
  constexpr std::string_view kData = "{{data}}";
  const std::string_view page = kReportPage;
  const std::size_t at = page.find(kData);
  check(at != std::string_view::npos, "report: its page has no {}", kData);
  std::string html(page.substr(0, at));
  for (const char letter : json_text(report, Pictures::embedded, -1)) {
    // In JSON "<" stands in texts only. Nothing there may end the script that holds it.
    if (letter == '<') {
      html += "\\u003c";
    } else {
      html += letter;
    }
  }
  return html.append(page.substr(at + kData.size()));
}

}  // namespace duel
