// `duel train --resume` and --from: the same bytes, what may change, and damaged checkpoints.
#include "tests/support/trajectory_file.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

TEST_F(Command, ResumeGivesTheSameBytes) {
  ASSERT_EQ(duel("train --out whole --preset steady --steps 20 " + kSmall).exit_code, 0);
  ASSERT_EQ(duel("train --out parts --preset steady --steps 10 " + kSmall).exit_code, 0);
  const Outcome resumed = duel("train --out parts --resume --steps 20");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("resumed at step 10"), std::string::npos);
  for (const char* name : {"checkpoints/step_000000020/state.safetensors", "checkpoints/step_000000020/state.json",
                           "samples/step_000000020.png"}) {
    EXPECT_EQ(read_file(folder_ / (std::string("whole/") + name)), read_file(folder_ / (std::string("parts/") + name)))
        << name;
  }
}

TEST_F(Command, ResumeBeginsWhereThereIsNoCheckpointAndAutoWhereThereIsNoRun) {
  const std::string job = "train --out run --preset classic --steps 4 --resume=auto " + kSmall;
  expect_outcome(duel(job), 0, "new to step 4");
  expect_outcome(duel(job), 0, "nothing is to do: the checkpoint is of step 4, and the run ends at step 4");
  const auto before = names_in(folder_ / "run");
  const std::string config = read_file(folder_ / "run/config.toml");
  expect_outcome(duel("train --out run --resume --steps 2"), 0, "nothing is to do");
  EXPECT_EQ(read_file(folder_ / "run/config.toml"), config);
  EXPECT_EQ(names_in(folder_ / "run"), before);
  const std::string whole = read_file(folder_ / "run/checkpoints/step_000000004/state.safetensors");
  for (const char* name : {"checkpoints", "samples", "metrics.jsonl", ".lock"}) {
    std::filesystem::remove_all(folder_ / "run" / name);  // what a run has that was killed before its first step
  }
  expect_outcome(duel("train --out run --resume"), 0, "resumed at step 0 because there is no checkpoint yet");
  EXPECT_EQ(read_file(folder_ / "run/checkpoints/step_000000004/state.safetensors"), whole);
  expect_outcome(duel("train --out absent --resume"), 3, "no such run directory");
  expect_outcome(duel("train --out run --resume=always"), 2, "--resume=auto");
}

TEST_F(Command, ChangesOfAResumeAreSaidOrRefused) {
  ASSERT_EQ(train("--preset steady --steps 2").exit_code, 0);
  ASSERT_EQ(duel("generate --run run --step 2 --count 1 --out a").exit_code, 0);
  expect_outcome(duel("train --out run --resume --steps 4 --set model.generator_activation=tanh"), 2,
                 "model.generator_activation \"relu\" -> \"tanh\"");
  const Outcome resumed = duel("train --out run --resume --steps 4 --set loss.r1=0.25");
  expect_outcome(resumed, 0, "changed: loss.r1 0.5 -> 0.25, train.steps 2 -> 4");
  EXPECT_NE(read_file(folder_ / "run/log.txt").find("changed: loss.r1 0.5 -> 0.25"), std::string::npos);
  EXPECT_NE(read_file(folder_ / "run/checkpoints/step_000000002/config.toml").find("r1 = 0.5"), std::string::npos);
  // A person may even edit the run's own file: each checkpoint knows better.
  std::string config = read_file(folder_ / "run/config.toml");
  config.replace(config.find("generator_activation = \"relu\""), 29, "generator_activation = \"tanh\"");
  write_file(folder_ / "run/config.toml", config);
  expect_outcome(duel("train --out run --resume --steps 6"), 2, "\"relu\" -> \"tanh\"");
  ASSERT_EQ(duel("generate --run run --step 2 --count 1 --out b").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "a/0000000.png"), read_file(folder_ / "b/0000000.png"));
}

TEST_F(Command, FromBeginsWithTheWeightsOfAnotherRun) {
  ASSERT_EQ(duel("train --out old --steps 6 " + kSmall).exit_code, 0);
  expect_outcome(duel("train --out new --from old --steps 3 --seed 5 --set data.synthetic_count=80"), 0,
                 "new with the weights of old at step 6");
  TensorFile old_state(folder_ / "old/checkpoints/step_000000006/state.safetensors");
  TensorFile first(folder_ / "new/checkpoints/step_000000000/state.safetensors");
  const std::string weight = "generator/dense1/weight";
  EXPECT_EQ(first.tensors.at(weight).get(3), old_state.tensors.at(weight).get(3));
  EXPECT_EQ(first.tensors.at("average/" + weight).get(3), old_state.tensors.at(weight).get(3));
  EXPECT_EQ(first.tensors.at("adam_v/" + weight).get(3), 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "new/checkpoints/step_000000003"));
  expect_outcome(duel("train --out x --from old --set data.synthetic_width=9"), 2,
                 "its pictures are 10x8x1, but those of synthetic are 10x9x1");
  expect_outcome(duel("train --out x --from old --set model.latent=9"), 2, "model.latent 64 -> 9");
  expect_outcome(duel("train --out x --from old --step 5"), 3, "there are those of 6");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(Command, ADamagedCheckpointNamesAnEarlierOne) {
  ASSERT_EQ(train("--steps 6 --set output.checkpoint_every=2").exit_code, 0);
  const std::string whole = read_file(folder_ / "run/checkpoints/step_000000006/state.safetensors");
  const auto damage = [&](const std::string& step, const std::string& file) {
    const auto path = folder_ / ("run/checkpoints/" + step) / file;
    std::string text = read_file(path);
    char& letter = text[text.size() / 2];
    letter = static_cast<char>(letter ^ 1);
    write_file(path, text);
  };
  const auto json_path = folder_ / "run/checkpoints/step_000000006/state.json";
  const std::string json = read_file(json_path);
  std::string wrong = json;
  wrong.replace(wrong.find("\"step\": 6"), 9, "\"step\": 5");
  write_file(json_path, wrong);
  expect_outcome(duel("train --out run --resume --steps 8"), 3,
                 "state.json says step 5, but the folder's name says step 6 and state.safetensors says step 6, so "
                 "state.json is wrong; the checkpoint of step 4 is whole: --resume --step 4");
  expect_outcome(duel("generate --run run --count 1 --out x"), 3,
                 "state.json is wrong; the checkpoint of step 4 is whole: --step 4 takes it");
  write_file(json_path, json);
  damage("step_000000006", "state.safetensors");
  damage("step_000000004", "state.safetensors");
  expect_outcome(duel("train --out run --resume --steps 8"), 3,
                 "the checkpoint of step 2 is whole: --resume --step 2 continues there");
  EXPECT_NE(read_file(folder_ / "run/log.txt").find("ended by an error: "), std::string::npos);
  expect_outcome(duel("train --out run --resume --step 2"), 0, "resumed at step 2");
  EXPECT_EQ(read_file(folder_ / "run/checkpoints/step_000000006/state.safetensors"), whole);
}

TEST_F(Command, ACorruptCheckpointIsRefusedOnResume) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  const auto path = folder_ / "run/checkpoints/step_000000002/state.safetensors";
  std::string bytes = read_file(path);
  bytes[bytes.size() - 9] = static_cast<char>(bytes[bytes.size() - 9] ^ 1);
  write_file(path, bytes);
  expect_outcome(duel("train --out run --resume --steps 4"), 3, "state.safetensors");
  expect_outcome(duel("train --out run --resume --steps 4 --set model.generator_widths=[17]"), 2,
                 "model.generator_widths [16] -> [17]");
}

}  // namespace
}  // namespace duel::test
