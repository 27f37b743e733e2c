// TensorBoard records, decoded here by hand so that the test does not trust the code that wrote them.
#include "host/run/event_log.h"

#include "host/files/crc32c.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <ctime>
#include <map>

namespace duel {
namespace {

using test::read_file;
using test::TemporaryFolder;

template <class T>
T take(std::string_view& bytes) {
  T value{};
  if (bytes.size() < sizeof value) {
    throw std::runtime_error("the record ends too early");
  }
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<std::uint8_t>(bytes);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      return value;
    }
  }
}

// Field number -> raw content of a protobuf message: 8 or 4 bytes, a varint as 8 bytes, or the delimited bytes.
std::map<int, std::string> fields_of(std::string_view message) {
  std::map<int, std::string> fields;
  while (!message.empty()) {
    const std::uint64_t key = take_varint(message);
    std::uint64_t size = key % 8 == 1 ? 8 : 4;
    std::string content;
    if (key % 8 == 0) {
      const std::uint64_t value = take_varint(message);
      content.assign(reinterpret_cast<const char*>(&value), sizeof value);
      size = 0;
    } else if (key % 8 == 2) {
      size = take_varint(message);
    }
    content += message.substr(0, size);
    message.remove_prefix(size);
    fields[static_cast<int>(key / 8)] = content;
  }
  return fields;
}

template <class T>
T as(const std::string& content) {
  std::string_view bytes = content;
  return take<T>(bytes);
}

std::uint32_t masked(std::string_view bytes) {
  const std::uint32_t crc = crc32c(std::as_bytes(std::span(bytes)));
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

std::vector<std::map<int, std::string>> events_of(const std::string& file) {
  std::vector<std::map<int, std::string>> events;
  std::string_view bytes = file;
  while (!bytes.empty()) {
    const std::string_view length_bytes = bytes.substr(0, 8);
    const auto length = take<std::uint64_t>(bytes);
    EXPECT_EQ(take<std::uint32_t>(bytes), masked(length_bytes));
    const std::string_view data = bytes.substr(0, length);
    bytes.remove_prefix(length);
    EXPECT_EQ(take<std::uint32_t>(bytes), masked(data));
    events.push_back(fields_of(data));
  }
  return events;
}

TEST(EventLog, BeginsWithItsVersion) {
  TemporaryFolder folder;
  const EventLog log(folder.path());
  const std::string name = log.path().filename().string();
  EXPECT_EQ(name.find(fmt::format("events.out.tfevents.{}", std::time(nullptr) / 100)), 0U) << name;
  EXPECT_EQ(name.substr(name.rfind('.') + 1), std::to_string(::getpid()));
  const auto events = events_of(read_file(log.path()));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at(3), "brain.Event:2");
  EXPECT_NEAR(as<double>(events[0].at(1)), static_cast<double>(std::time(nullptr)), 10.0);
}

TEST(EventLog, WritesScalarsAndPictures) {
  TemporaryFolder folder;
  EventLog log(folder.path());
  log.scalar("loss/generator", 7'000'000'000, 0.75);
  log.scalar("loss/discriminator", 20, NAN);
  const std::string png("\x89PNG\0data", 9);
  log.image("samples", 250, std::as_bytes(std::span(png)), 28, 56, 3);
  EXPECT_EQ(events_of(read_file(log.path())).size(), 1U) << "records wait for flush()";
  log.flush();
  const auto events = events_of(read_file(log.path()));
  ASSERT_EQ(events.size(), 4U);

  EXPECT_EQ(as<std::int64_t>(events[1].at(2)), 7'000'000'000);
  const auto scalar = fields_of(fields_of(events[1].at(5)).at(1));
  EXPECT_EQ(scalar.at(1), "loss/generator");
  EXPECT_EQ(as<float>(scalar.at(2)), 0.75F);
  EXPECT_TRUE(std::isnan(as<float>(fields_of(fields_of(events[2].at(5)).at(1)).at(2))));

  EXPECT_EQ(as<std::int64_t>(events[3].at(2)), 250);
  const auto value = fields_of(fields_of(events[3].at(5)).at(1));
  EXPECT_EQ(value.at(1), "samples");
  const auto image = fields_of(value.at(4));
  EXPECT_EQ(as<std::int64_t>(image.at(1)), 28);
  EXPECT_EQ(as<std::int64_t>(image.at(2)), 56);
  EXPECT_EQ(as<std::int64_t>(image.at(3)), 3);
  EXPECT_EQ(image.at(4), png);
}

TEST(EventLog, TellsReadersWhereARunWasResumed) {
  TemporaryFolder folder;
  const EventLog first(folder.path());
  const EventLog second(folder.path(), 500);
  EXPECT_LT(first.path(), second.path()) << "readers take files in the order of their names";
  const auto events = events_of(read_file(second.path()));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(as<std::int64_t>(events[1].at(2)), 501);
  EXPECT_EQ(as<std::int64_t>(fields_of(events[1].at(7)).at(1)), 1) << "SessionLog.START";
}

TEST(EventLog, WritesWhatHasWaitedForSomeSeconds) {
  TemporaryFolder folder;
  double now = 100;
  EventLog log(folder.path(), std::nullopt, {}, [&] { return now; });
  log.scalar("loss", 1, 1.0);
  now += EventLog::kFlushSeconds / 2;
  log.scalar("loss", 2, 1.0);
  log.flush_if_due();
  EXPECT_EQ(events_of(read_file(log.path())).size(), 1U);
  now += EventLog::kFlushSeconds / 2;
  log.flush_if_due();
  EXPECT_EQ(events_of(read_file(log.path())).size(), 3U);
  now += 1000;
  log.scalar("loss", 3, 1.0);
  EXPECT_EQ(events_of(read_file(log.path())).size(), 3U) << "a row that follows a pause has not waited";
  now += EventLog::kFlushSeconds;
  log.scalar("loss", 4, 1.0);
  EXPECT_EQ(events_of(read_file(log.path())).size(), 5U);
}

std::vector<MetricsRow> rows_to(std::int64_t last) {
  std::vector<MetricsRow> rows;
  for (std::int64_t step = 10; step <= last; step += 10) {
    rows.push_back({step, 0, {{"d_loss", 0.5 * static_cast<double>(step)}, {"g_loss", NAN}}});
  }
  return rows;
}

void write_rows(EventLog& log, const std::vector<MetricsRow>& rows) {
  for (const MetricsRow& row : rows) {
    for (const auto& [name, value] : row.metrics) {
      log.scalar(name, row.step, value);
    }
  }
}

std::vector<std::int64_t> steps_in(const std::filesystem::path& path) {
  std::vector<std::int64_t> steps;
  for (const auto& event : events_of(read_file(path))) {
    if (event.contains(5) || event.contains(7)) {  // summary, session log
      steps.push_back(as<std::int64_t>(event.at(2)));
    }
  }
  return steps;
}

TEST(EventLog, RepeatsRowsThatAKilledProcessDidNotWrite) {
  using Steps = std::vector<std::int64_t>;
  TemporaryFolder folder;
  std::filesystem::path first, second;
  {
    EventLog log(folder.path());
    first = log.path();
    write_rows(log, rows_to(60));
  }
  {
    const EventLog whole(folder.path(), 60, rows_to(60));
    second = whole.path();
    EXPECT_EQ(steps_in(second), Steps{61}) << "nothing is lacking";
  }
  std::filesystem::remove(second);
  const std::string bytes = read_file(first);
  std::string cut = bytes;
  const std::size_t size_of_a_scalar = (bytes.size() - 40) / 12;
  cut.resize(bytes.size() - 5 * size_of_a_scalar / 2);  // in g_loss of step 50
  test::write_file(first, cut);
  {
    const EventLog again(folder.path(), 50, rows_to(50));
    second = again.path();
    EXPECT_EQ(steps_in(second), (Steps{50, 50, 50})) << "forget step 50, and both of its scalars";
  }
  // What that file says counts, too; and a step that was forgotten is lacking.
  {
    const EventLog third(folder.path(), 70, rows_to(70));
    EXPECT_EQ(steps_in(third.path()), (Steps{60, 60, 60, 70, 70}));
  }
}

TEST(EventLog, NamesALaterTimeThanEveryFileThere) {
  TemporaryFolder folder;
  test::write_file(folder / "events.out.tfevents.9000000000.other.1", "");
  const EventLog log(folder.path(), 0);
  EXPECT_EQ(log.path().filename().string().substr(0, 31), "events.out.tfevents.9000000001.");
}

TEST(EventLog, WritesByItselfWhenMuchIsPendingAndAtTheEnd) {
  TemporaryFolder folder;
  std::filesystem::path path;
  {
    EventLog log(folder.path());
    path = log.path();
    const std::string png(3 << 20, 'x');
    log.image("samples", 1, std::as_bytes(std::span(png)), 1, 1, 1);
    EXPECT_GT(std::filesystem::file_size(path), png.size());
    log.scalar("last", 2, 1.0);
  }
  EXPECT_EQ(events_of(read_file(path)).size(), 3U);
}

TEST(EventLog, SaysWhyItCannotWrite) {
  TemporaryFolder folder;
  EXPECT_ERROR(EventLog(folder / "absent"), Error::Kind::data, "No such file or directory");
  const int status = test::status_of_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200, 200};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    EventLog log(folder.path());
    for (int step = 0; step < 100; ++step) {
      log.scalar("loss", step, 1.0);
    }
    const auto error = test::error_of([&] { log.flush(); });
    return error && std::string(error->what()).find("File too large") != std::string::npos ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace duel
