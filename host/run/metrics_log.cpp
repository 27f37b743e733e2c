#include "host/run/metrics_log.h"

#include "host/files/atomic_file.h"
#include "kernels/check.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace duel {
namespace {

std::optional<std::int64_t> step_of_row(std::string_view row) {
  if (row.find('\0') != std::string_view::npos) {  // of a power cut; the JSON library takes it for the end of the text
    return std::nullopt;
  }
  const auto json = nlohmann::json::parse(row, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) {
    return std::nullopt;
  }
  return json["step"].get<std::int64_t>();
}

struct Row {
  std::int64_t step = 0, line = 0;
  std::string_view text;  // with its line break
};

// The longest chain of rows whose steps ascend. A row beside it has a damaged step, which must not cost the others.
std::vector<Row> ascending(const std::vector<Row>& rows) {
  std::vector<std::size_t> ends;  // [n]: the row of the least step that ends a chain of n + 1
  std::vector<std::size_t> before(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = std::lower_bound(ends.begin(), ends.end(), rows[i].step,
                                     [&](std::size_t row, std::int64_t step) { return rows[row].step < step; });
    before[i] = at == ends.begin() ? i : *(at - 1);
    at == ends.end() ? ends.push_back(i) : void(*at = i);
  }
  std::vector<Row> chain;
  for (std::size_t length = ends.size(), i = ends.empty() ? 0 : ends.back(); length > 0; --length, i = before[i]) {
    chain.push_back(rows[i]);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

struct Kept {
  std::string text;
  std::vector<std::int64_t> damaged_lines;  // with rows to be kept behind them
};

// The rows up to `last_step`. Broken text at the end is what a crash leaves, and later rows are those of a future that
// is trained again; what is broken or out of order before a row that is kept was damaged.
Kept rows_to_keep(std::string_view text, std::int64_t last_step) {
  std::vector<Row> rows;
  std::int64_t line = 0;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    ++line;
    const auto step = step_of_row(text.substr(begin, end - begin));
    if (step && *step >= 0 && *step <= last_step) {
      rows.push_back({*step, line, text.substr(begin, end + 1 - begin)});
    }
  }
  Kept kept;
  std::int64_t last_line = 0;
  for (const Row& row : ascending(rows)) {
    for (std::int64_t lost = last_line + 1; lost < row.line; ++lost) {
      kept.damaged_lines.push_back(lost);
    }
    kept.text += row.text;
    last_line = row.line;
  }
  return kept;
}

// The rows of text that rows_to_keep() kept; what is no row is left out.
std::vector<MetricsRow> rows_of(std::string_view text) {
  std::vector<MetricsRow> rows;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::optional<std::int64_t> step = step_of_row(line);
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

MetricsRead read_metrics(const std::filesystem::path& path) {
  const Kept kept = rows_to_keep(read_text_file(path), std::numeric_limits<std::int64_t>::max());
  return {rows_of(kept.text), kept.damaged_lines};
}

MetricsLog::MetricsLog(const std::filesystem::path& path, std::optional<std::int64_t> resumed_at) : path_(path) {
  std::error_code ignored;
  if (resumed_at && std::filesystem::exists(path_, ignored)) {
    const std::string text = read_text_file(path_);
    const Kept kept = rows_to_keep(text, *resumed_at);
    if (!kept.damaged_lines.empty()) {
      warnings_.push_back(fmt::format("{}: what is no whole row of metrics is dropped: line {}", path_.string(),
                                      fmt::join(kept.damaged_lines, ", ")));
      write_file_atomically(path_, kept.text);
    } else if (kept.text.size() < text.size()) {  // in place, which needs no room on a full disk
      file_ = open_file(path_, O_WRONLY);
      if (::ftruncate(file_.get(), static_cast<off_t>(kept.text.size())) != 0) {
        throw_error(Error::Kind::data, "{}: cannot be cut off behind step {}: {}", path_.string(), *resumed_at,
                    error_text(errno));
      }
    }
    kept_ = rows_of(kept.text);
    seconds_before_ = kept_.empty() ? 0 : kept_.back().seconds;
  }
  file_ = open_file(path_, O_RDWR | O_CREAT | O_APPEND | (resumed_at ? 0 : O_TRUNC));
}

void MetricsLog::append(std::int64_t step, std::int64_t epoch, double seconds, std::span<const Metric> metrics) {
  nlohmann::ordered_json row = {{"step", step}, {"epoch", epoch}, {"seconds", seconds_before_ + seconds}};
  for (const Metric& metric : metrics) {
    row[std::string(metric.name)] = metric.value;  // the JSON library prints what is not finite as null
  }
  constexpr std::size_t kMostWaiting = std::size_t{64} << 20;
  if (waiting_.size() < kMostWaiting) {
    waiting_ += row.dump() + "\n";
  }
  write_waiting();
}

void MetricsLog::write_waiting() {
  open_again_if_gone();
  struct stat before {};
  const bool is_regular = ::fstat(file_.get(), &before) == 0 && S_ISREG(before.st_mode);
  std::size_t written = 0;
  while (written < waiting_.size()) {
    const ssize_t count = ::write(file_.get(), waiting_.data() + written, waiting_.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      const int reason = errno;
      lacks_room_ = reason == ENOSPC || reason == EDQUOT;
      if (is_regular) {  // nobody shall read half a row; the whole one is written later
        [[maybe_unused]] const int cut = ::ftruncate(file_.get(), before.st_size);
      }
      throw_error(Error::Kind::data, "{}: cannot write {} bytes ({}): {}", path_.string(), waiting_.size(),
                  free_space_text(path_.parent_path()), error_text(reason));
    }
  }
  lacks_room_ = false;
  waiting_.clear();
}

// The open file outlives its name, so its rows are still there.
void MetricsLog::open_again_if_gone() {
  struct stat named {
  }, open{};
  if (::fstat(file_.get(), &open) != 0 || !S_ISREG(open.st_mode)) {
    return;
  }
  const bool is_there = ::stat(path_.c_str(), &named) == 0;
  if (is_there && named.st_ino == open.st_ino && named.st_dev == open.st_dev) {
    return;
  }
  std::string rows;
  if (!is_there) {
    rows.resize(static_cast<std::size_t>(open.st_size));
    read_all(file_, 0, std::as_writable_bytes(std::span(rows)), path_);
  }
  create_folder(path_.parent_path());
  FileDescriptor again = open_file(path_, O_RDWR | O_CREAT | O_APPEND);
  write_all(again, std::as_bytes(std::span(rows)), path_);
  file_ = std::move(again);
  warnings_.push_back(fmt::format("{}: had {}", path_.string(),
                                  is_there ? "been replaced; rows go on in the new file"
                                           : "vanished, and is written again with the rows of this run"));
}

void MetricsLog::sync() {
  write_waiting();
  sync_file(file_, path_);
}

}  // namespace duel
