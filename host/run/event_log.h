// TensorBoard event files: scalars and pictures of a run, in a new file each time the run is started or resumed.
//
// A file is a row of records: uint64 length, masked CRC-32C of the length, a serialised Event, masked CRC-32C of it
// (TensorFlow's record format). Records are collected in memory and written at flush(), when the oldest has waited for
// some seconds, when they pass a limit, and at the end. Errors are of kind `data`.
//
// A process that is killed loses what it had collected, which metrics.jsonl has. So a resumed run looks at what the
// earlier files say, and repeats the rows of metrics.jsonl from the first one that they lack.
#pragma once

#include "host/files/file_descriptor.h"
#include "host/run/metrics_log.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tensorboard {
class Event;
}

namespace duel {

class EventLog {
public:
  static constexpr double kFlushSeconds = 5;
  using ClockSeconds = std::function<double()>;

  // Opens `events.out.tfevents.<unix time>.<host>.<pid>` in an existing folder; its time is later than that of every
  // such file there, because readers take files in the order of their names. With `resumed_at`, TensorBoard is told to
  // forget what earlier files say about steps behind that one. `rows`, steps ascending up to `resumed_at`, are those of
  // metrics.jsonl; from the first one that the earlier files do not hold whole, they are written again.
  explicit EventLog(const std::filesystem::path& folder, std::optional<std::int64_t> resumed_at = std::nullopt,
                    std::span<const MetricsRow> rows = {}, ClockSeconds clock = {});
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog();  // writes what is left, without complaint; flush() first to hear of errors

  void scalar(std::string_view tag, std::int64_t step, double value);
  void image(std::string_view tag, std::int64_t step, std::span<const std::byte> png, int height, int width,
             int channels);
  void flush();
  void flush_if_due();  // to be called now and then

  const std::filesystem::path& path() const { return path_; }

private:
  void append(tensorboard::Event& event, std::int64_t step);

  std::filesystem::path path_;
  FileDescriptor file_;
  std::string pending_;
  ClockSeconds clock_;
  double pending_since_ = 0;
};

}  // namespace duel
