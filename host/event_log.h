// TensorBoard event files: scalars and pictures of a run, in a new file each time the run is started or resumed.
//
// A file is a row of records: uint64 length, masked CRC-32C of the length, a serialised Event, masked CRC-32C of it
// (TensorFlow's record format). Records are collected in memory and written at flush(), when they pass a limit, and
// at the end. Errors are of kind `data`.
#pragma once

#include "engine/file_descriptor.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
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
  // Opens `events.out.tfevents.<unix time>.<host>.<pid>` in an existing folder. With `resumed_at`, TensorBoard is
  // told to forget what earlier files say about steps behind that one.
  explicit EventLog(const std::filesystem::path& folder, std::optional<std::int64_t> resumed_at = std::nullopt);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog();  // writes what is left, without complaint; flush() first to hear of errors

  void scalar(std::string_view tag, std::int64_t step, double value);
  void image(std::string_view tag, std::int64_t step, std::span<const std::byte> png, int height, int width,
             int channels);
  void flush();

  const std::filesystem::path& path() const { return path_; }

private:
  void append(tensorboard::Event& event, std::int64_t step);

  std::filesystem::path path_;
  FileDescriptor file_;
  std::string pending_;
};

}  // namespace duel
