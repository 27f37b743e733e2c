// metrics.jsonl of a run: one JSON object a line, {"step": .., "epoch": .., "seconds": .., NAME: value, ..}.
//
// Each row is written with one call, so that a reader never sees half of one. A resumed run cuts off what lies
// behind its step, and a row that a crash left unfinished, so no step occurs twice; a damaged row in between is dropped
// alone, with a warning. NaN and infinity become null, because JSON knows neither.
//
// A row that cannot be written, as on a full disk, throws kind `data` and waits in memory for the next call. A file
// that somebody removed is written again, whole.
#pragma once

#include "host/files/file_descriptor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace duel {

struct Metric {
  std::string_view name;
  double value = 0;
};

// A row as it was read back.
struct MetricsRow {
  std::int64_t step = 0;
  double seconds = 0;
  std::vector<std::pair<std::string, double>> metrics;  // null as NaN
};

// The whole rows of a file that a run still writes, or that was damaged; what is no row costs no other.
struct MetricsRead {
  std::vector<MetricsRow> rows;             // steps ascending
  std::vector<std::int64_t> damaged_lines;  // with rows behind them, from 1
};
MetricsRead read_metrics(const std::filesystem::path& path);

class MetricsLog {
public:
  // A new run begins an empty file; with `resumed_at` rows of later steps are removed and new ones follow.
  explicit MetricsLog(const std::filesystem::path& path, std::optional<std::int64_t> resumed_at = std::nullopt);

  // Those that a resumed run keeps, without broken ones.
  const std::vector<MetricsRow>& kept() const { return kept_; }

  // `seconds` since this process began to train; those of the run up to the last row kept are added.
  void append(std::int64_t step, std::int64_t epoch, double seconds, std::span<const Metric> metrics);
  void sync();  // to disk; before a checkpoint is published, so that the rows up to it outlive a power cut
  bool lacks_room() const { return lacks_room_; }  // whether the last call failed because the disk is full
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }

private:
  void write_waiting();
  void open_again_if_gone();

  std::filesystem::path path_;
  FileDescriptor file_;
  std::string waiting_;  // whole rows
  bool lacks_room_ = false;
  std::vector<std::string> warnings_;
  std::vector<MetricsRow> kept_;
  double seconds_before_ = 0;
};

}  // namespace duel
