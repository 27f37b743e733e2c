// `duel train` that evaluates its pictures, keeps the best checkpoint, and ends where nothing better comes.
#include "tests/support/paths.h"
#include "tests/tools/command.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

namespace duel::test {
namespace {

using Json = nlohmann::json;

// So high learning rates that the best comes early.
const std::string kSteps =
    "--steps 60 --set optimizer.generator_learning_rate=0.05 --set optimizer.discriminator_learning_rate=0.05 "
    "--set optimizer.ema_decay=0 --set output.samples_every=0 ";
const std::string kEvery =
    "--evaluate-every 6 --extractor pixels --keep-best kid --set output.checkpoint_every=20 "
    "--set output.keep_last=1 ";

// Figures of the evaluations by step, as they are written.
std::map<std::int64_t, std::string> evaluations(const std::filesystem::path& run) {
  std::map<std::int64_t, std::string> found;
  std::istringstream lines(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Json row = Json::parse(line);
    for (const char* name : {"kid", "frechet", "kid_floor", "frechet_floor"}) {
      if (row.contains(name)) {
        found[row["step"]] += fmt::format("{} {} ", name, row[name].dump());
      }
    }
  }
  return found;
}

double kid_of(const std::string& figures) {
  return std::stod(figures.substr(figures.find(' ')));
}

std::int64_t lowest(const std::map<std::int64_t, std::string>& found) {
  return std::min_element(found.begin(), found.end(),
                          [](const auto& a, const auto& b) { return kid_of(a.second) < kid_of(b.second); })
      ->first;
}

std::string step_name(std::int64_t step) {
  return fmt::format("step_{:09}", step);
}

class CommandKeepBest : public Command {
protected:
  std::string best_of(const std::string& run) const { return read_file(folder_ / run / "checkpoints/best"); }
  std::string state_of(const std::string& run, std::int64_t step) const {
    return read_file(folder_ / run / "checkpoints" / step_name(step) / "state.safetensors");
  }
};

TEST_F(CommandKeepBest, TheBestIsKeptAndNoWeightChanges) {
  const Outcome outcome = train(kSteps + kEvery);
  expect_outcome(outcome, 0, "real pictures in their place: kid");
  expect_outcome(outcome, 0, "step 6: kid ");
  const auto found = evaluations(folder_ / "run");
  ASSERT_EQ(found.size(), 10U);
  for (const auto& [step, figures] : found) {
    EXPECT_EQ(figures.find("kid_floor") != std::string::npos, step == 6) << step << ": " << figures;
  }
  const std::int64_t best = lowest(found);
  ASSERT_LT(best, 60) << "the test wants a best that is not the last";
  EXPECT_EQ(best_of("run"), step_name(best) + "\n");
  EXPECT_EQ(names_in(folder_ / "run/checkpoints"),
            (std::vector<std::string>{"best", "latest", step_name(best), step_name(60)}));
  expect_outcome(outcome, 0, fmt::format("is of step {}", best));

  expect_outcome(duel("generate --run run --step best --grid 2x2 --out best.png"), 0, fmt::format("of step {}", best));
  const Outcome judged = duel("evaluate --run run --step best --extractor pixels --count 2000 --threads 2 --json");
  ASSERT_EQ(judged.exit_code, 0) << judged.output;
  const Json figures = Json::parse(judged.output)["figures"];
  EXPECT_DOUBLE_EQ(figures["kernel_distance"]["value"].get<double>(), kid_of(found.at(best)));

  ASSERT_EQ(duel("train --out plain " + kSmall + kSteps).exit_code, 0);
  EXPECT_EQ(state_of("plain", 60), state_of("run", 60));
  EXPECT_TRUE(evaluations(folder_ / "plain").empty());
  expect_outcome(duel("generate --run plain --step best --count 1 --out x"), 3, "has no best checkpoint");
}

TEST_F(CommandKeepBest, KilledAndResumedItKnowsTheSameBest) {
  ASSERT_EQ(train(kSteps + kEvery).exit_code, 0);
  const std::string kill = fmt::format(
      "cd '{}' && {{ '{}' train --out parts {} > killed.txt 2>&1 & pid=$!; while kill -0 $pid 2>/dev/null && ! test -d "
      "parts/checkpoints/step_000000020; do sleep 0.005; done; kill -9 $pid; wait $pid; }} 2>/dev/null",
      folder_.path().string(), command_path(), kSmall + kSteps + kEvery);
  static_cast<void>(std::system(kill.c_str()));
  const Outcome resumed = duel("train --out parts --resume");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_EQ(evaluations(folder_ / "parts"), evaluations(folder_ / "run"));
  EXPECT_EQ(best_of("parts"), best_of("run"));
  EXPECT_EQ(state_of("parts", 60), state_of("run", 60));
  EXPECT_EQ(names_in(folder_ / "parts/checkpoints"), names_in(folder_ / "run/checkpoints"));

  // A kill between the two: the checkpoint is there, and `best` does not name it yet.
  std::filesystem::remove(folder_ / "parts/checkpoints/best");
  ASSERT_EQ(duel("train --out parts --resume --steps 61").exit_code, 0);
  EXPECT_EQ(best_of("parts"), best_of("run"));

  // Other pictures are compared: what was the best says nothing beside them.
  const Outcome other = duel("train --out parts --resume --steps 62 --set evaluate.count=3");
  expect_outcome(other, 0, "the earlier ones do not count");
  EXPECT_EQ(best_of("parts"), step_name(62) + "\n");
}

TEST_F(CommandKeepBest, APlateauEndsTheRunAndItCanGoOn) {
  const std::string plateau = kSteps + kEvery + "--stop-when plateau --set evaluate.patience=2 ";
  const Outcome ended = train(plateau);
  expect_outcome(ended, 0, "plateau: 2 evaluations without a new best");
  const auto found = evaluations(folder_ / "run");
  const std::int64_t best = lowest(found), last = found.rbegin()->first;
  ASSERT_LT(last, 60);
  EXPECT_EQ(last, best + 12);
  EXPECT_EQ(best_of("run"), step_name(best) + "\n");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/checkpoints" / step_name(last)));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/samples" / (step_name(last) + ".png")));

  expect_outcome(duel("train --out run --resume"), 0, "plateau: 2 evaluations without a new best");
  EXPECT_EQ(evaluations(folder_ / "run"), found);
  expect_outcome(duel("train --out run --resume --stop-when never"), 0, "done at step 60");
  ASSERT_EQ(duel("train --out plain " + kSmall + kSteps).exit_code, 0);
  EXPECT_EQ(state_of("plain", 60), state_of("run", 60));
}

TEST_F(CommandKeepBest, ADryRunSaysWhatEvaluationsTake) {
  expect_outcome(train("--dry-run " + kSteps + kEvery), 0, "evaluations: 10 of");
  expect_outcome(train("--dry-run " + kSteps + kEvery), 0, "with their evaluations");
  const Outcome plan = train("--dry-run --json --steps 10 --evaluate-every 4 --extractor pixels");
  ASSERT_EQ(plan.exit_code, 0) << plan.output;
  EXPECT_EQ(Json::parse(plan.output)["evaluations"], 3);
  EXPECT_GT(Json::parse(plan.output)["seconds_an_evaluation"], 0.0);
  expect_outcome(train("--dry-run --steps 10 --evaluate-every 4 --set data.synthetic_count=192"), 0,
                 "before the run an extractor is trained, once");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(CommandKeepBest, WhatCannotBeMeantIsRefused) {
  expect_outcome(train("--keep-best kid"), 2, "--keep-best \"kid\" needs evaluations to choose by");
  expect_outcome(train("--evaluate-every 5 --stop-when plateau"), 2, "--stop-when \"plateau\" needs to know");
  expect_outcome(train("--evaluate-every 5 --extractor inception"), 2, "must be classifier:RUN, onnx:FILE or pixels");
  expect_outcome(train("--evaluate-every 5 --extractor classifier:nowhere"), 3, "nowhere");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
  expect_outcome(duel("train --preset classify --dry-run --steps 2 --batch 4 --evaluate-every 5 --data synthetic"), 0,
                 "evaluate.every has no effect: recipe classify does not read it");
}

}  // namespace
}  // namespace duel::test
