// metrics.jsonl: rows as described, and a resumed run that has every step once.
#include "host/metrics_log.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace duel {
namespace {

using nlohmann::json;
using test::names_in;
using test::read_file;
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

TEST(MetricsLog, RefusesARowThatIsBrokenInTheMiddle) {
  TemporaryFolder folder;
  for (const std::string broken :
       {"{\"st\n", "[]\n", "\n", "{\"step\":\"ten\"}\n", "{\"step\":1.5}\n", "{}\n", "\xff\n"}) {
    EXPECT_ERROR(steps_after_resume(folder, kRow10 + broken + kRow20), kData, "m: line 2 is not a row of metrics");
    EXPECT_EQ(read_file(folder / "m"), kRow10 + broken + kRow20) << "a refused file is left as it was";
  }
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
