#include "host/run/event_log.h"

#include "host/config/decimal.h"
#include "host/files/crc32c.h"
#include "kernels/check.h"
#include "tensorboard_event.pb.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

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

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr std::string_view kPrefix = "events.out.tfevents.";

// In the order in which TensorBoard reads them.
std::vector<std::string> event_files(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (std::string name = entry->path().filename().string(); name.starts_with(kPrefix)) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string file_name(const std::vector<std::string>& earlier) {
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  std::string name = host;
  std::replace(name.begin(), name.end(), '/', '_');
  std::int64_t time = std::time(nullptr);
  for (const std::string& other : earlier) {
    const std::string_view rest = std::string_view(other).substr(kPrefix.size());
    time = std::max(time, decimal_integer<std::int64_t>(rest.substr(0, rest.find('.'))).value_or(0) + 1);
  }
  return fmt::format("{}{:010}.{}.{}", kPrefix, time, name, ::getpid());
}

// How many scalars TensorBoard knows of each step, from the files of a folder.
class KnownScalars {
public:
  explicit KnownScalars(const std::filesystem::path& folder) {
    for (const std::string& name : event_files(folder)) {
      read(folder / name);
    }
  }

  bool has(const MetricsRow& row) const {
    const auto found = counts_.find(row.step);
    return found != counts_.end() && found->second >= row.metrics.size();
  }

private:
  // Up to the first record that is not whole: readers stop there as well.
  void read(const std::filesystem::path& path) {
    std::string bytes;
    try {
      bytes = read_text_file(path);
    } catch (const Error&) {  // as if it were not there
      return;
    }
    constexpr std::size_t kHead = sizeof(std::uint64_t) + sizeof(std::uint32_t), kTail = sizeof(std::uint32_t);
    std::string_view rest = bytes;
    while (rest.size() >= kHead + kTail) {
      std::uint64_t length = 0;
      std::memcpy(&length, rest.data(), sizeof length);
      if (length > rest.size() - kHead - kTail) {
        return;
      }
      const std::string_view data = rest.substr(kHead, length);
      std::uint32_t crc = 0;
      std::memcpy(&crc, rest.data() + kHead + length, sizeof crc);
      tensorboard::Event event;
      if (crc != masked_crc32c(data.data(), data.size()) ||
          !event.ParseFromArray(data.data(), static_cast<int>(length))) {
        return;
      }
      take(event);
      rest.remove_prefix(kHead + length + kTail);
    }
  }

  void take(const tensorboard::Event& event) {
    if (event.has_session_log() && event.session_log().status() == tensorboard::SessionLog::START) {
      counts_.erase(counts_.lower_bound(event.step()), counts_.end());
    }
    for (const auto& value : event.summary().value()) {
      counts_[event.step()] += value.has_image() ? 0 : 1;
    }
  }

  std::map<std::int64_t, std::size_t> counts_;
};

}  // namespace

EventLog::EventLog(const std::filesystem::path& folder, std::optional<std::int64_t> resumed_at,
                   std::span<const MetricsRow> rows, ClockSeconds clock)
    : clock_(clock ? std::move(clock) : steady_seconds) {
  if (resumed_at) {
    const KnownScalars known(folder);
    const auto lacking = std::find_if(rows.begin(), rows.end(), [&](const MetricsRow& row) { return !known.has(row); });
    rows = rows.subspan(static_cast<std::size_t>(lacking - rows.begin()));
  }
  path_ = folder / file_name(event_files(folder));
  file_ = open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  tensorboard::Event version;
  version.set_file_version("brain.Event:2");
  append(version, 0);
  if (resumed_at) {
    tensorboard::Event start;
    start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
    // A reader drops earlier events of this step and behind.
    append(start, rows.empty() ? *resumed_at + 1 : rows.front().step);
    for (const MetricsRow& row : rows) {
      for (const auto& [name, value] : row.metrics) {
        scalar(name, row.step, value);
      }
    }
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
  if (pending_.empty()) {
    pending_since_ = clock_();
  }
  append_bytes(pending_, &length, sizeof length);
  append_bytes(pending_, &length_crc, sizeof length_crc);
  pending_ += data;
  append_bytes(pending_, &data_crc, sizeof data_crc);
  if (pending_.size() >= kPendingBytes) {
    flush();
  } else {
    flush_if_due();
  }
}

void EventLog::flush_if_due() {
  if (!pending_.empty() && clock_() - pending_since_ >= kFlushSeconds) {
    flush();
  }
}

void EventLog::flush() {
  // Taken out first: records that a full disk cut in half must not be written a second time behind the half.
  const std::string records = std::exchange(pending_, {});
  write_all(file_, std::as_bytes(std::span(records)), path_);
}

}  // namespace duel
