#include "host/event_log.h"

#include "engine/crc32c.h"
#include "kernels/check.h"
#include "tensorboard_event.pb.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace duel {
namespace {

constexpr std::size_t kPendingBytes = std::size_t{1} << 20;
constexpr std::int64_t kMaxEventBytes = std::int64_t{1} << 30;  // protobuf ends at 2 GiB

void append_bytes(std::string& text, const void* value, std::size_t size) {
  text.append(static_cast<const char*>(value), size);
}

// TensorFlow masks checksums so that the checksum of data that holds checksums stays a useful one.
std::uint32_t masked_crc32c(const void* data, std::size_t size) {
  const std::uint32_t crc = crc32c({static_cast<const std::byte*>(data), size});
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

std::filesystem::path file_name() {
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  std::string name = host;
  std::replace(name.begin(), name.end(), '/', '_');
  return fmt::format("events.out.tfevents.{:010}.{}.{}", std::time(nullptr), name, ::getpid());
}

}  // namespace

EventLog::EventLog(const std::filesystem::path& folder, std::optional<std::int64_t> resumed_at) {
  // TensorBoard reads the files of a folder in the order of their names, so a second one within the same second
  // gets a longer name.
  path_ = folder / file_name();
  std::error_code ignored;
  while (std::filesystem::exists(path_, ignored)) {
    path_ += ".1";
  }
  file_ = open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  tensorboard::Event version;
  version.set_file_version("brain.Event:2");
  append(version, 0);
  if (resumed_at) {
    tensorboard::Event start;
    start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
    append(start, *resumed_at + 1);  // a reader drops earlier events of this step and behind
  }
  flush();
}

EventLog::~EventLog() {
  try {
    flush();
  } catch (const Error&) {  // the run is ending, perhaps because of this very disk
  }
}

void EventLog::scalar(std::string_view tag, std::int64_t step, double value) {
  tensorboard::Event event;
  tensorboard::Summary::Value& entry = *event.mutable_summary()->add_value();
  entry.set_tag(std::string(tag));
  entry.set_simple_value(static_cast<float>(value));
  append(event, step);
}

void EventLog::image(std::string_view tag, std::int64_t step, std::span<const std::byte> png, int height, int width,
                     int channels) {
  check(std::ssize(png) < kMaxEventBytes, "EventLog: a picture of {} bytes is too large for an event", png.size());
  tensorboard::Event event;
  tensorboard::Summary::Value& entry = *event.mutable_summary()->add_value();
  entry.set_tag(std::string(tag));
  tensorboard::Image& image = *entry.mutable_image();
  image.set_height(height);
  image.set_width(width);
  image.set_colorspace(channels);
  image.set_encoded_image_string(png.data(), png.size());
  append(event, step);
}

void EventLog::append(tensorboard::Event& event, std::int64_t step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  event.set_wall_time(now.count());
  event.set_step(step);
  const std::string data = event.SerializeAsString();
  const std::uint64_t length = data.size();
  const std::uint32_t length_crc = masked_crc32c(&length, sizeof length);
  const std::uint32_t data_crc = masked_crc32c(data.data(), data.size());
  append_bytes(pending_, &length, sizeof length);
  append_bytes(pending_, &length_crc, sizeof length_crc);
  pending_ += data;
  append_bytes(pending_, &data_crc, sizeof data_crc);
  if (pending_.size() >= kPendingBytes) {
    flush();
  }
}

void EventLog::flush() {
  // Taken out first: records that a full disk cut in half must not be written a second time behind the half.
  const std::string records = std::exchange(pending_, {});
  write_all(file_, std::as_bytes(std::span(records)), path_);
}

}  // namespace duel
