// What all verbs have in common: usage, numbers, and output that cannot be written; `duel info`.
#include "host/config/configuration.h"
#include "host/config/preset_files.h"
#include "tests/support/paths.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace duel::test {
namespace {

// The same with standard output as `redirection` says; what is returned is of standard error.
Outcome duel_into(const TemporaryFolder& folder, const std::string& redirection, const std::string& arguments) {
  const std::string command = fmt::format("cd '{0}' && XDG_CACHE_HOME='{0}/cache' '{1}' {2} {3} 2>error",
                                          folder.path().string(), command_path(), arguments, redirection);
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(folder / "error")};
}

TEST_F(Command, BadUsageExits2WithOneSentence) {
  expect_outcome(duel(""), 2, "no verb was given");
  expect_outcome(duel("trian"), 2, "trian");
  expect_outcome(duel("train --data synthetic"), 2, "--out FOLDER is missing");
  expect_outcome(duel("train --out r --preset clasic"), 2, "clasic");
  expect_outcome(duel("train --out r --set train.bach=3"), 2, "did you mean train.batch");
  expect_outcome(duel("train --out r --batch 0"), 2, "--batch 0: must be an integer from 1 to 65536");
  expect_outcome(duel("train --out r --config none.toml"), 2, "none.toml");
  expect_outcome(duel("train --out r --resume --preset classic"), 2, "--resume");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "r"));
}

TEST_F(Command, NumbersAreDecimalAndOptionsSpeakOfThemselves) {
  ASSERT_EQ(train("--steps 40 --set output.checkpoint_every=8 --set output.keep_last=0").exit_code, 0);
  const Outcome at_40 = duel("generate --run run --count 001 --step 000000040 --out a");
  EXPECT_EQ(at_40.output, "a: 1 pictures of step 40\n");
  expect_outcome(duel("generate --run run --count 1 --step 0x28 --out b"), 2, "--step 0x28: must be an integer");
  expect_outcome(duel("generate --run run --count 1e1 --out b"), 2, "--count 1e1: must be an integer from 1");
  expect_outcome(duel("generate --run run --count ' 5' --out b"), 2, "--count \" 5\": must be");
  expect_outcome(duel("generate --run run --count '' --out b"), 2, "--count \"\": must be");
  expect_outcome(duel("generate --run run --count 1 --seed +5 --out b"), 2, "--seed +5: must be");
  expect_outcome(duel("generate --run run --count 1 --seed=-5 --out b"), 2, "--seed -5: must be");
  expect_outcome(duel("generate --run run --count 1 --threads 0x1 --out b"), 2, "--threads 0x1: must be");
  expect_outcome(duel("bench step --seconds 1s " + kSmall), 2, "--seconds 1s: must be a number from 0");
  expect_outcome(duel("parity --tolerance 0x1p-3 x"), 2, "--tolerance 0x1p-3: must be");
  expect_outcome(duel("train --out r --data 'new\\name'"), 3, "new\\name'");
  expect_outcome(duel("train --out r --preset ''"), 2, "--preset \"\": must be a text that is not empty");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "b"));
}

TEST_F(Command, OutputThatCannotBeWrittenIsAnError) {
  for (const char* redirection : {">/dev/full", ">&-"}) {
    for (const char* arguments : {"info", "info --json", "--help", "--version", "train --help", "train --help-keys"}) {
      expect_outcome(duel_into(folder_, redirection, arguments), 3, "duel: standard output: cannot be written");
    }
    expect_outcome(duel_into(folder_, redirection, "trian"), 2, "trian");
  }
  // Training goes on without a reader, and nothing of what it says ends up in another file.
  EXPECT_EQ(duel_into(folder_, ">/dev/full", "train --out run --steps 2 " + kSmall).exit_code, 0);
  EXPECT_EQ(duel_into(folder_, ">&-", "train --out closed --steps 2 " + kSmall).exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "closed/config.toml"), read_file(folder_ / "run/config.toml"));
  EXPECT_EQ(read_file(folder_ / "closed/.lock").find("step"), std::string::npos);
}

TEST_F(Command, InfoTellsWhatThisIsAndThePresets) {
  const nlohmann::json info = nlohmann::json::parse(duel("info --json").output);
  for (const char* name : {"duel", "build", "backends", "CPU features", "oneDNN"}) {
    EXPECT_TRUE(info.contains(name)) << name;
  }
  const Outcome presets = duel("info --presets");
  for (const PresetFile& preset : preset_files()) {
    EXPECT_NE(presets.output.find(fmt::format("\n{}", preset.name)),
              presets.output.find(preset_description(preset.text)));
    EXPECT_EQ(nlohmann::json::parse(duel("info --presets --json").output)[std::string(preset.name)],
              preset_description(preset.text));
  }
}

TEST_F(Command, InfoPrintsAConfiguration) {
  const std::string wanted = "info --configuration steady --set train.batch=8 --set 'loss.r1={from = 1, to = 0.5}'";
  const Outcome text = duel(wanted);
  Options options = preset("steady");
  options.train.batch = 8;
  apply_setting(parse_setting("loss.r1={from = 1, to = 0.5}"), options);
  EXPECT_EQ(text.output, to_toml(options));
  const nlohmann::json json = nlohmann::json::parse(duel(wanted + " --json").output);
  EXPECT_EQ(json["preset"], "steady");
  EXPECT_EQ(json["train"]["batch"], 8);
  EXPECT_EQ(json["optimizer"]["beta1"], 0.0);
  EXPECT_EQ(json["loss"]["r1"]["shape"], "linear");
  EXPECT_EQ(json["model"]["generator_widths"].size(), 4);
  expect_outcome(duel("info --configuration --set train.bach=8"), 2, "did you mean train.batch?");
  expect_outcome(duel("info --set train.batch=8"), 2, "--set needs --configuration or --program");
  expect_outcome(duel("info --config nowhere.toml"), 2, "--config needs --configuration or --program");
  expect_outcome(duel("info --configuration steady --program steady"), 2, "--program");
}

TEST_F(Command, InfoPrintsARecordedProgram) {
  const std::string wanted = "info --program classic --set data.source=synthetic --set train.batch=8 ";
  const Outcome text = duel(wanted);
  EXPECT_EQ(text.exit_code, 0) << text.output;
  for (const char* part :
       {"d_main: ", "g_main: ", "  conv2d_forward  stride 1, pad [1,1,1,1], activation relu\n",
        "f32[32,3,3,1] = discriminator/master+0 (discriminator/conv1/weight)", "  adam  learning_rate ",
        " = generator/average+0 changed -> nothing\n", "      d_main/discriminator/conv1; "}) {
    EXPECT_NE(text.output.find(part), std::string::npos) << part << "\n" << text.output;
  }
  const auto nodes_of = [&](const std::string& more) {
    const Outcome outcome = duel(fmt::format("{}--json {}", wanted, more));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return nlohmann::json::parse(outcome.output)["phases"][0]["nodes"];
  };
  const nlohmann::json fused = nodes_of(""), unfused = nodes_of("--unfused");
  EXPECT_LT(fused.size(), unfused.size());
  const auto conv = std::find_if(fused.begin(), fused.end(),
                                 [](const nlohmann::json& node) { return node["op"] == "conv2d_forward"; });
  ASSERT_NE(conv, fused.end());
  EXPECT_EQ((*conv)["parameters"].dump(), R"({"activation":"relu","pad":[1,1,1,1],"stride":1})");
  EXPECT_EQ((*conv)["inputs"][1]["storage"], "discriminator/master");
  EXPECT_EQ((*conv)["inputs"][1]["shape"].dump(), "[32,3,3,1]");
  EXPECT_EQ((*conv)["place"], "d_main/discriminator/conv1");
  EXPECT_GT((*conv)["flops"], 0);
  expect_outcome(duel("info --unfused"), 2, "--program");
  expect_outcome(duel("info --program clasic"), 2, "clasic");
}

}  // namespace
}  // namespace duel::test
