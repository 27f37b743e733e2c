// metrics.jsonl of a run: one JSON object a line, {"step": .., "epoch": .., "seconds": .., NAME: value, ..}.
//
// Each row is written with one call, so that a reader never sees half of one. A resumed run cuts off what lies
// behind its step, and a row that a crash left unfinished, so no step occurs twice. NaN and infinity become null,
// because JSON knows neither. Errors are of kind `data`.
#pragma once

#include "engine/file_descriptor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

namespace duel {

struct Metric {
  std::string_view name;
  double value = 0;
};

class MetricsLog {
public:
  // A new run begins an empty file; with `resumed_at` rows of later steps are removed and new ones follow.
  explicit MetricsLog(const std::filesystem::path& path, std::optional<std::int64_t> resumed_at = std::nullopt);

  void append(std::int64_t step, std::int64_t epoch, double seconds, std::span<const Metric> metrics);
  void sync();  // to disk; before a checkpoint is published, so that the rows up to it outlive a power cut

private:
  std::filesystem::path path_;
  FileDescriptor file_;
};

}  // namespace duel
