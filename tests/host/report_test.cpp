// What a report gathers of a run: one that is done, one that trains, one that is damaged; and that nothing in a name
// can become markup of its page.
#include "host/report/report.h"

#include "host/config/configuration.h"
#include "host/pictures/png.h"
#include "host/report/verdict.h"
#include "host/run/metrics_log.h"
#include "host/run/run_directory.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace duel {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::read_file;
using test::TemporaryFolder;
using test::write_file;

const std::string kStart =
    "2026-11-27 10:00:00  synthetic on cpu (2 threads): 64 pictures of 8x8x1, preset steady, new to step 400, fp32\n";

// The folder of a run whose options are those of a preset but for the seed, with rows at steps 10, 20, ... 10 * rows.
struct SmallRun {
  explicit SmallRun(const fs::path& folder, int rows = 0, const std::string& preset_name = "steady") : path(folder) {
    Options options = preset(preset_name);
    options.seed = 5;
    options.data.source = "synthetic";
    directory.emplace(RunDirectory::create(
        folder, to_toml(options, "# Of a test\n#   device                 cpu (2 threads) (auto)\n")));
    MetricsLog log(directory->metrics_path());
    for (int row = 1; row <= rows; ++row) {
      const Metric metrics[] = {{"d_loss", 0.5}, {"g_loss", 1.0 / row}};
      log.append(10 * row, 1, row, metrics);
    }
  }

  void says(const std::string& lines) const { write_file(path / "log.txt", lines); }
  void end() { directory.reset(); }  // no process trains into it any more

  void sheet(const std::string& name, int height = 22, int width = 32) const {
    write_png(path / "samples" / name,
              {height, width, 1, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width), 90)});
  }

  fs::path path;
  std::optional<RunDirectory> directory;
};

RunReport gather(const fs::path& folder) {
  GatherRequest request;
  request.run = folder.string();
  request.reads_data = false;
  return gather_run(request);
}

bool mentions(const std::vector<std::string>& problems, const std::string& part) {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const std::string& problem) { return problem.find(part) != std::string::npos; });
}

TEST(Report, TellsARunThatIsDone) {
  TemporaryFolder folder;
  SmallRun run(folder / "shoes", 40);
  run.says(kStart + "2026-11-27 10:00:20  step 50/400  epoch 1/7  D 0.5  G 0.2\n" +
           "2026-11-27 10:03:40  done at step 400 after 0:40; checkpoint x\n");
  run.sheet("step_000000400.png");
  run.end();
  const RunReport report = gather(run.path);
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  EXPECT_EQ(report.name, "shoes");
  EXPECT_EQ(report.state, RunState::done);
  EXPECT_EQ(report.step, 400);
  EXPECT_EQ(report.planned_steps, 400);
  EXPECT_EQ(report.seconds, 40);
  ASSERT_TRUE(report.pictures_per_second);
  EXPECT_DOUBLE_EQ(*report.pictures_per_second, 10.0 * report.options->train.batch);
  ASSERT_TRUE(report.changes);
  EXPECT_EQ(shown(*report.changes).substr(0, 4), "seed");
  ASSERT_EQ(report.environment.size(), 1U);
  EXPECT_EQ(report.environment[0].second, "cpu (2 threads) (auto)");
  EXPECT_EQ(report.log.events.size(), 2U);
  const Verdict verdict = verdict_of(report);
  EXPECT_EQ(verdict.word, "Finished");
  EXPECT_NE(verdict.text.find("All 400 steps were trained, in 0:40. Nothing in the folder measures"), std::string::npos)
      << verdict.text;
  EXPECT_NE(verdict.text.find("Nothing was warned of."), std::string::npos) << verdict.text;
}

TEST(Report, TellsARunThatTrainsAndLeavesItAlone) {
  TemporaryFolder folder;
  const SmallRun run(folder / "run", 12);  // holds the lock
  run.says(kStart);
  write_file(run.path / "metrics.jsonl",
             read_file(run.path / "metrics.jsonl") + "{\"step\":130,\"epo");  // being written
  const RunReport report = gather(run.path);
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  EXPECT_EQ(report.state, RunState::training);
  EXPECT_EQ(report.step, 120);
  const Verdict verdict = verdict_of(report);
  EXPECT_EQ(verdict.mood, Verdict::Mood::busy);
  EXPECT_NE(verdict.text.find("It still trains: step 120 of 400 after 0:12, 0:28 to go"), std::string::npos)
      << verdict.text;
  EXPECT_TRUE(run.directory->is_being_trained());
}

TEST(Report, TellsHowARunEnded) {
  TemporaryFolder folder;
  SmallRun run(folder / "run", 3);
  run.end();
  const std::string warning = "2026-11-27 10:00:09  warning: step 20: kinds collapse: all alike\n";
  const auto told = [&](const std::string& lines) {
    run.says(lines);
    return verdict_of(gather(run.path));
  };
  EXPECT_EQ(told(kStart).word, "Broken off");
  const Verdict stopped =
      told(kStart + warning + "2026-11-27 10:00:10  interrupted by SIGINT at step 30 after 0:03; checkpoint x\n");
  EXPECT_EQ(stopped.word, "Interrupted");
  EXPECT_NE(stopped.text.find("There was 1 warning."), std::string::npos) << stopped.text;
  const Verdict failed = told(kStart + "2026-11-27 10:00:10  ended by an error: training: d_loss is nan\n");
  EXPECT_EQ(failed.mood, Verdict::Mood::bad);
  EXPECT_NE(failed.text.find("It ended at step 30 of 400 after 0:03: training: d_loss is nan."), std::string::npos)
      << failed.text;
  // Resumed behind an end, it is not ended.
  EXPECT_EQ(told("2026-11-27 09:00:00  done at step 30 after 0:03\n" + kStart).word, "Broken off");
}

TEST(Report, GoesOnWithoutWhatIsDamaged) {
  TemporaryFolder folder;
  SmallRun run(folder / "run", 2);
  run.end();
  write_file(run.path / "metrics.jsonl", read_file(run.path / "metrics.jsonl") +
                                             "{\"step\":\"x\"}\n\xff\xfe\n"
                                             "{\"step\":30,\"seconds\":3,\"d_loss\":null,\"health/collapse\":1}\n");
  write_file(run.path / "samples/step_000000010.png", "no picture");
  run.sheet("step_000000020.png");
  write_file(run.path / "evaluation.json", "[{");
  write_file(run.path / "config.toml", "train.batch = \"many\"\n");
  const RunReport report = gather(run.path);
  EXPECT_EQ(report.step, 30);
  EXPECT_FALSE(report.options);
  ASSERT_EQ(report.sheets.size(), 1U);
  EXPECT_EQ(report.sheets[0].sheets.size(), 1U);
  EXPECT_EQ(report.sheets[0].sheets[0].step, 20);
  for (const char* part : {"what is no whole row is left out: 2 lines, the first is line 3",
                           "d_loss is not finite in 1 of 3 rows, first at step 30", "train.batch", "step_000000010.png",
                           "evaluation.json: is not the JSON", "log.txt"}) {
    EXPECT_TRUE(mentions(report.problems, part)) << part;
  }
  EXPECT_EQ(report.problems.size(), 6U);
  const Verdict verdict = verdict_of(report);
  EXPECT_NE(verdict.text.find("Still there at the last step: collapse."), std::string::npos) << verdict.text;
  const json page = json::parse(to_json({{report}, "now", "1"}));
  EXPECT_EQ(page["runs"][0]["curves"][0]["mean"][2], nullptr);
}

TEST(Report, TakesWhatIsLeftOfARun) {
  TemporaryFolder folder;
  SmallRun run(folder / "run", 2);
  run.end();
  fs::remove(run.path / "config.toml");
  fs::remove_all(run.path / "samples");
  EXPECT_TRUE(mentions(gather(run.path).problems, "config.toml"));
  EXPECT_TRUE(gather(run.path).sheets.empty());
  fs::create_directory(folder / "other");
  EXPECT_ERROR(gather(folder / "other"), Error::Kind::data, "is not a run directory");
  EXPECT_ERROR(gather(folder / "none"), Error::Kind::data, "there is no such run directory");
}

TEST(Report, EscapesNames) {
  TemporaryFolder folder;
  const std::string name = "</script><script>alert(1)</script><!-- \"q\" & \xff";
  SmallRun run(folder / "run", 2);
  run.end();
  run.says("2026-11-27 10:00:00  " + name + "\n");
  write_file(run.path / "evaluation.json",
             json{{"figures", {{{"name", "</script>"}, {"value", 3}, {"floor", 2}}}}}.dump());
  RunReport report = gather(run.path);
  report.name = name;
  const std::string page = to_html({{report}, "now", "1"});
  const std::string opening = "<script type=\"application/json\" id=\"gathered\">";
  const std::size_t begin = page.find(opening) + opening.size();
  const json data = json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(data["runs"][0]["name"], "</script><script>alert(1)</script><!-- \"q\" & \xEF\xBF\xBD");
  EXPECT_EQ(data["runs"][0]["evaluation"]["figures"][0]["name"], "</script>");
  EXPECT_EQ(page.find("{{"), std::string::npos);
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
}

TEST(Report, ThinsCurvesAndKeepsSpikes) {
  std::vector<CurveSample> samples;
  for (int i = 0; i < 10'000; ++i) {
    samples.push_back({i + 1, i * 0.5, i == 7003 ? 900.0 : i == 42 ? -7.0 : 1.0});
  }
  samples[5].value = std::numeric_limits<double>::quiet_NaN();
  const Curve curve = make_curve("d_grad_norm", samples);
  ASSERT_EQ(curve.step.size(), Curve::kMostPoints);
  EXPECT_EQ(curve.step.back(), 10'000);
  EXPECT_EQ(*std::max_element(curve.high.begin(), curve.high.end()), 900);
  EXPECT_EQ(*std::min_element(curve.low.begin(), curve.low.end()), -7);
  EXPECT_DOUBLE_EQ(curve.mean[0], 1);  // 25 rows, one of which is not finite
  EXPECT_EQ(curve.not_finite, 1);
  EXPECT_EQ(curve.first_not_finite, 6);
  EXPECT_EQ(curve.rows, 10'000);
  EXPECT_EQ(curve.label, "discriminator");
  EXPECT_EQ(curve.group, "gradients");
  EXPECT_EQ(curve_group_of("held_out_accuracy").id, curve_group_of("accuracy").id);
  EXPECT_EQ(curve_label("d_loss_2"), "discriminator, update 2");
  EXPECT_EQ(curve_group_of("tomorrows_metric").title, "tomorrows metric");
}

TEST(Report, ThinsSheetsEvenlyWithinABound) {
  SheetSeries series;
  for (int i = 0; i < 100; ++i) {
    series.sheets.push_back({i, "x", 1000});
  }
  series.total = 100;
  SheetSeries few = series;
  thin_sheets(few, 60, 4'500);
  std::vector<std::int64_t> steps;
  for (const Sheet& sheet : few.sheets) {
    steps.push_back(sheet.step);
  }
  EXPECT_EQ(steps, (std::vector<std::int64_t>{0, 33, 66, 99}));
  EXPECT_EQ(few.total, 100);
  thin_sheets(series, 60, 1'000'000);
  EXPECT_EQ(series.sheets.size(), 60U);
  thin_sheets(series, 60, 1'500);
  EXPECT_EQ(series.sheets[0].step, 99);
  thin_sheets(series, 60, 10);
  EXPECT_TRUE(series.sheets.empty());
}

TEST(Report, ReadsAnyEvaluation) {
  const ReadEvaluation evaluation = parse_evaluation(
      R"({"extractor": "classifier", "counts": {"real": 500}, "sheet": "pairs.png", "secret": "../x.png",
          "figures": [{"name": "FID", "value": 12.5, "floor": 3, "note": "n"}, {"name": "KID", "value": null}],
          "by class": {"list": [{"name": "hat", "value": 1}]}})",
      "/runs/a/evaluation.json");
  ASSERT_EQ(evaluation.figures.size(), 3U);
  EXPECT_EQ(evaluation.figures[0].name, "FID");
  EXPECT_EQ(evaluation.figures[0].floor, 3);
  EXPECT_EQ(evaluation.figures[1].value, std::nullopt);
  EXPECT_EQ(evaluation.figures[2].group, "by class / list");
  ASSERT_EQ(evaluation.sheets.size(), 1U);
  EXPECT_EQ(evaluation.sheets[0].second, "/runs/a/pairs.png");
  EXPECT_EQ(evaluation.facts[1], (std::pair<std::string, std::string>("counts / real", "500")));
}

TEST(Report, NamesWhereRunsDiffer) {
  TemporaryFolder folder;
  const SmallRun first(folder / "a", 1), second(folder / "b", 1, "classic");
  const std::vector<OptionDifference> differences = differences_of({gather(first.path), gather(second.path)});
  ASSERT_FALSE(differences.empty());
  EXPECT_EQ(differences[0].key, "preset");
  EXPECT_EQ(differences[0].values, (std::vector<std::string>{"\"steady\"", "\"classic\""}));
  EXPECT_TRUE(
      std::none_of(differences.begin(), differences.end(), [](const auto& each) { return each.key == "seed"; }));
}

TEST(Report, EncodesPicturesInBase64) {
  EXPECT_EQ(png_uri(""), "data:image/png;base64,");
  EXPECT_EQ(png_uri("M"), "data:image/png;base64,TQ==");
  EXPECT_EQ(png_uri("Ma"), "data:image/png;base64,TWE=");
  EXPECT_EQ(png_uri("Man\xff"), "data:image/png;base64,TWFu/w==");
}

TEST(Report, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(-123), "-123");
}

}  // namespace
}  // namespace duel
