// metrics.jsonl: rows as described, and a resumed run that has every step once.
#include "host/run/metrics_log.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace duel {
namespace {

using nlohmann::json;
using test::error_of;
using test::names_in;
using test::read_file;
using test::status_of_child;
using test::TemporaryFolder;
using test::write_file;

constexpr auto kData = Error::Kind::data;

void append(MetricsLog& log, std::int64_t step, double loss = 0.5) {
  const Metric metrics[] = {{"loss", loss}};
  log.append(step, step / 10, static_cast<double>(step) / 4, metrics);
}

std::vector<std::int64_t> steps_in(const std::filesystem::path& path) {
  std::vector<std::int64_t> steps;
  std::istringstream rows(read_file(path));
  for (std::string row; std::getline(rows, row);) {
    steps.push_back(json::parse(row)["step"].get<std::int64_t>());
  }
  return steps;
}

// Opens a log with this text, resumed at step 20, and says which steps are left.
std::vector<std::int64_t> steps_after_resume(const TemporaryFolder& folder, const std::string& text) {
  write_file(folder / "m", text);
  const MetricsLog log(folder / "m", 20);
  return steps_in(folder / "m");
}

using Steps = std::vector<std::int64_t>;
const std::string kRow10 = "{\"step\":10}\n", kRow20 = "{\"step\":20}\n", kRow30 = "{\"step\":30}\n";

TEST(MetricsLog, WritesRowsThatAreReadableAtOnce) {
  TemporaryFolder folder;
  MetricsLog log(folder / "metrics.jsonl");
  const Metric metrics[] = {
      {"loss/generator", 0.25}, {"nan", NAN}, {"inf", std::numeric_limits<double>::infinity()}, {"a\"b", 1e-9}};
  log.append(5'000'000'000, 3, 12.5, metrics);
  log.append(5'000'000'001, 3, 13.0, {});
  log.sync();
  EXPECT_EQ(read_file(folder / "metrics.jsonl"),
            "{\"step\":5000000000,\"epoch\":3,\"seconds\":12.5,\"loss/generator\":0.25,\"nan\":null,\"inf\":null,"
            "\"a\\\"b\":1e-09}\n{\"step\":5000000001,\"epoch\":3,\"seconds\":13.0}\n");
}

TEST(MetricsLog, BeginsAnewForANewRun) {
  TemporaryFolder folder;
  write_file(folder / "m", kRow10);
  const MetricsLog log(folder / "m");
  EXPECT_EQ(read_file(folder / "m"), "");
}

TEST(MetricsLog, HasEachStepOnceAfterAResume) {
  TemporaryFolder folder;
  {
    MetricsLog log(folder / "m");
    for (std::int64_t step = 10; step <= 70; step += 10) {
      append(log, step, 0.5);
    }
  }
  MetricsLog log(folder / "m", 40);
  EXPECT_EQ(steps_in(folder / "m"), (Steps{10, 20, 30, 40}));
  append(log, 50, 0.25);
  EXPECT_EQ(steps_in(folder / "m"), (Steps{10, 20, 30, 40, 50}));
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"m"});
}

TEST(MetricsLog, SecondsGoOnAfterAResume) {
  TemporaryFolder folder;
  {
    MetricsLog log(folder / "m");
    append(log, 10);
    append(log, 40);
    append(log, 80);
  }
  MetricsLog log(folder / "m", 40);
  ASSERT_EQ(log.kept().size(), 2U);
  EXPECT_EQ(log.kept()[1].step, 40);
  EXPECT_EQ(log.kept()[1].metrics, (std::vector<std::pair<std::string, double>>{{"loss", 0.5}}));
  append(log, 50);
  const std::string text = read_file(folder / "m");
  const std::string last = text.substr(text.rfind('{'));
  EXPECT_EQ(json::parse(last)["seconds"].get<double>(), 40 / 4.0 + 50 / 4.0);
}

TEST(MetricsLog, ResumesBeforeTheFirstRowAndBehindTheLast) {
  TemporaryFolder folder;
  write_file(folder / "m", kRow10 + kRow20);
  { const MetricsLog log(folder / "m", 99); }
  EXPECT_EQ(steps_in(folder / "m"), (Steps{10, 20}));
  { const MetricsLog log(folder / "m", 0); }
  EXPECT_EQ(read_file(folder / "m"), "");
  MetricsLog log(folder / "absent", 40);
  append(log, 50);
  EXPECT_EQ(steps_in(folder / "absent"), Steps{50});
}

TEST(MetricsLog, CutsWhatACrashLeftUnfinished) {
  TemporaryFolder folder;
  for (std::size_t length = 0; length < kRow20.size(); ++length) {
    EXPECT_EQ(steps_after_resume(folder, kRow10 + kRow20.substr(0, length)), Steps{10}) << length;
  }
  EXPECT_EQ(steps_after_resume(folder, kRow10 + std::string(500, '\0')), Steps{10});
  EXPECT_EQ(steps_after_resume(folder, kRow10 + "{\"step\":20}" + std::string(5, '\0') + "\n"), Steps{10});
  EXPECT_EQ(steps_after_resume(folder, kRow10 + "{\"st\n" + kRow30), Steps{10}) << "what lies behind goes anyway";
  EXPECT_EQ(steps_after_resume(folder, kRow10 + kRow30 + "{\"st\n" + kRow10), Steps{10});
}

TEST(MetricsLog, DropsADamagedRowAloneAndSaysSo) {
  TemporaryFolder folder;
  // Broken, or with a step that cannot stand there: none may cost a good row.
  for (const std::string damaged :
       {"{\"st\n", "[]\n", "\n", "{\"step\":\"ten\"}\n", "{\"step\":1.5}\n", "{}\n", "\xff\n", "{\"step\":90}\n",
        "{\"step\":-7}\n", "{\"step\":3}\n", "{\"step\":19}\n"}) {
    write_file(folder / "m", kRow10 + "{\"step\":12}\n" + damaged + "{\"step\":15}\n" + kRow20 + kRow30);
    MetricsLog log(folder / "m", 20);
    EXPECT_EQ(steps_in(folder / "m"), (Steps{10, 12, 15, 20})) << damaged;
    const std::vector<std::string> warnings = log.take_warnings();
    ASSERT_EQ(warnings.size(), 1U) << damaged;
    EXPECT_NE(warnings[0].find("m: what is no whole row of metrics is dropped: line 3"), std::string::npos);
    EXPECT_TRUE(log.take_warnings().empty());
  }
  write_file(folder / "m", kRow10 + kRow20 + kRow30 + "{\"st");
  EXPECT_TRUE(MetricsLog(folder / "m", 20).take_warnings().empty()) << "what a kill leaves is no damage";
}

TEST(MetricsLog, IsWrittenAgainWhereItVanished) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "run");
  MetricsLog log(folder / "run/m");
  append(log, 10);
  std::filesystem::remove_all(folder / "run");
  append(log, 20);
  EXPECT_EQ(steps_in(folder / "run/m"), (Steps{10, 20}));
  EXPECT_EQ(log.take_warnings().size(), 1U);
  write_file(folder / "other", kRow10);
  std::filesystem::rename(folder / "other", folder / "run/m");
  append(log, 30);
  EXPECT_EQ(steps_in(folder / "run/m"), (Steps{10, 30}));
  EXPECT_EQ(log.take_warnings().size(), 1U);
}

TEST(MetricsLog, RowsThatFoundNoRoomAreWrittenLater) {
  TemporaryFolder folder;
  const int status = status_of_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    MetricsLog log(folder / "m");
    append(log, 10);
    const auto whole = static_cast<rlim_t>(std::filesystem::file_size(folder / "m"));
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = whole + 5;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const bool failed = error_of([&] { append(log, 20); }) && error_of([&] { log.sync(); });
    const bool is_whole = steps_in(folder / "m") == Steps{10};
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    append(log, 30);
    return failed && is_whole && steps_in(folder / "m") == Steps{10, 20, 30} ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST(MetricsLog, SurvivesAnyFlippedBitOrSaysSo) {
  TemporaryFolder folder;
  std::string text = kRow10 + kRow20 + kRow30;
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    const auto error = test::error_of([&] {
      for (const std::int64_t step : steps_after_resume(folder, text)) {
        EXPECT_LE(step, 20);
      }
    });
    EXPECT_TRUE(!error || error->kind() == kData);
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
  }
}

TEST(MetricsLog, SaysWhyItCannotWrite) {
  TemporaryFolder folder;
  MetricsLog log("/dev/full");
  EXPECT_ERROR(append(log, 10), kData, "/dev/full: cannot write");
  EXPECT_ERROR(append(log, 10), kData, "No space left on device");
  EXPECT_ERROR(MetricsLog(folder / "absent/m"), kData, "absent/m: cannot be opened for writing: No such file");
  EXPECT_ERROR(MetricsLog(folder.path(), 20), kData, "Is a directory");
}

}  // namespace
}  // namespace duel
