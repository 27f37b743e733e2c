#include "host/metrics_log.h"

#include "host/atomic_file.h"
#include "kernels/check.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace duel {
namespace {

std::optional<std::int64_t> step_of(std::string_view row) {
  if (row.find('\0') != std::string_view::npos) {  // of a power cut; the JSON library takes it for the end of the text
    return std::nullopt;
  }
  const auto json = nlohmann::json::parse(row, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) {
    return std::nullopt;
  }
  return json["step"].get<std::int64_t>();
}

// The rows up to `last_step`. Steps ascend, so everything behind the first later row goes. Broken text at the end is
// what a crash leaves and goes too; broken text with good rows behind it is damage that a person should see.
std::size_t bytes_to_keep(const std::string& text, std::int64_t last_step, const std::filesystem::path& path) {
  std::size_t keep = 0, begin = 0;
  std::int64_t line = 0, broken_line = 0;
  while (begin < text.size()) {
    ++line;
    const std::size_t end = text.find('\n', begin);
    const auto step = end == std::string::npos ? std::nullopt : step_of({text.data() + begin, end - begin});
    if (!step) {
      broken_line = broken_line == 0 ? line : broken_line;
    } else if (*step > last_step) {
      break;
    } else if (broken_line != 0) {
      throw_error(Error::Kind::data, "{}: line {} is not a row of metrics; remove it to resume the run", path.string(),
                  broken_line);
    } else {
      keep = end + 1;
    }
    begin = end == std::string::npos ? text.size() : end + 1;
  }
  return keep;
}

// The rows of text that bytes_to_keep() kept; what is no row is left out.
std::vector<MetricsRow> rows_of(std::string_view text) {
  std::vector<MetricsRow> rows;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::optional<std::int64_t> step = step_of(line);
    if (!step) {
      continue;
    }
    MetricsRow row;
    row.step = *step;
    const auto json = nlohmann::ordered_json::parse(line);
    for (const auto& [name, value] : json.items()) {
      const bool is_metric = name != "step" && name != "epoch" && name != "seconds";
      if (name == "seconds" && value.is_number()) {
        row.seconds = value.get<double>();
      } else if (is_metric && (value.is_number() || value.is_null())) {
        row.metrics.emplace_back(name, value.is_null() ? std::nan("") : value.get<double>());
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::optional<std::int64_t> resumed_at) : path_(path) {
  std::error_code ignored;
  if (resumed_at && std::filesystem::exists(path_, ignored)) {
    const std::string text = read_text_file(path_);
    const std::size_t keep = bytes_to_keep(text, *resumed_at, path_);
    if (keep < text.size()) {
      write_file_atomically(path_, std::string_view(text).substr(0, keep));
    }
    kept_ = rows_of(std::string_view(text).substr(0, keep));
    seconds_before_ = kept_.empty() ? 0 : kept_.back().seconds;
  }
  file_ = open_file(path_, O_WRONLY | O_CREAT | O_APPEND | (resumed_at ? 0 : O_TRUNC));
}

void MetricsLog::append(std::int64_t step, std::int64_t epoch, double seconds, std::span<const Metric> metrics) {
  nlohmann::ordered_json row = {{"step", step}, {"epoch", epoch}, {"seconds", seconds_before_ + seconds}};
  for (const Metric& metric : metrics) {
    row[std::string(metric.name)] = metric.value;  // the JSON library prints what is not finite as null
  }
  const std::string text = row.dump() + "\n";
  write_all(file_, std::as_bytes(std::span(text)), path_);
}

void MetricsLog::sync() {
  sync_file(file_, path_);
}

}  // namespace duel
