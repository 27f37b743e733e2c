// `duel augment`, from the command line.
#include "host/pictures/png.h"
#include "tests/tools/command.h"

#include <nlohmann/json.hpp>

#include <filesystem>

namespace duel::test {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class CommandAugment : public Command {
protected:
  void train_by_class(const std::string& arguments = "") const {
    expect_outcome(train("--steps 2 --set data.labels=true " + arguments), 0, "");
  }
  fs::path a_shirt() const { return folder_ / "set/Shirt/seed_0000000011.png"; }
};

TEST_F(CommandAugment, ASetByClassThatSaysWhereItComesFrom) {
  train_by_class();
  const Outcome made = duel("augment --run run --per-class 3 --out set --json");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const Json json = Json::parse(made.output);
  EXPECT_EQ(json["pictures"], 24);
  EXPECT_EQ(json["step"], 2);
  EXPECT_EQ(names_in(folder_ / "set"), (std::vector<std::string>{"Bag", "Bottle", "Box", "Dress", "Plate", "Shirt",
                                                                 "Shoe", "Trousers", "labels.csv", "provenance.json"}));
  EXPECT_EQ(names_in(folder_ / "set/Shirt"),
            (std::vector<std::string>{"seed_0000000003.png", "seed_0000000011.png", "seed_0000000019.png"}));
  const Json provenance = Json::parse(read_file(folder_ / "set/provenance.json"));
  EXPECT_EQ(provenance["ai_generated"], true);
  EXPECT_EQ(provenance["preset"], "conv-steady");
  EXPECT_EQ(provenance["weights_hash"], json["weights"]);
  EXPECT_EQ(provenance["classes"].size(), 8U);
  const std::string bytes = read_file(a_shirt());
  for (const std::string& text : {std::string("tEXtSoftware\0Duel ", 18), std::string("AI-generated\0yes", 16),
                                  std::string("Seed\00011", 7), std::string("Class\0Shirt", 11)}) {
    EXPECT_NE(bytes.find(text), std::string::npos) << text;
  }
  EXPECT_NE(bytes.find(json["weights"].get<std::string>()), std::string::npos);

  // The same picture by its seed, and the set as data.
  ASSERT_EQ(duel("generate --run run --class Shirt --seeds 11 --out one").exit_code, 0);
  EXPECT_EQ(read_png(folder_ / "one/seed_0000000011.png"), read_png(a_shirt()));
  expect_outcome(duel("data set --size 8x10 --held-out 0"), 0, "24 pictures of 8x10 in grey, 8 classes of 3");

  // More of each change none that are there.
  expect_outcome(duel("augment --run run --per-class 4 --out set"), 2,
                 "--out set: holds 10 files or folders already, as Bag; name another");
  ASSERT_EQ(duel("augment --run run --per-class 4 --out set/ --clear").exit_code, 0);
  EXPECT_EQ(read_file(a_shirt()), bytes);
  EXPECT_EQ(names_in(folder_ / "set/Shirt").size(), 4U);
}

TEST_F(CommandAugment, FillsUpToTheLargestClass) {
  train_by_class("--set data.synthetic_count=69");  // classes in turn: the first five have one more
  expect_outcome(duel("augment --run run --fill --out set"), 0, "set: 3 pictures of step 2");
  EXPECT_EQ(names_in(folder_ / "set"),
            (std::vector<std::string>{"Bag", "Bottle", "Shoe", "labels.csv", "provenance.json"}));
  EXPECT_EQ(read_file(folder_ / "set/labels.csv"),
            "file,label\nShoe/seed_0000000005.png,Shoe\nBag/seed_0000000006.png,Bag\n"
            "Bottle/seed_0000000007.png,Bottle\n");
}

TEST_F(CommandAugment, NothingIsFilledWhereNothingLacks) {
  train_by_class();  // eight of each
  expect_outcome(duel("augment --run run --fill --out set"), 2, "every class of the data has 8 pictures");
  EXPECT_FALSE(fs::exists(folder_ / "set"));
}

TEST_F(CommandAugment, NothingForeignIsRemoved) {
  train_by_class();
  ASSERT_EQ(duel("augment --run run --per-class 1 --out set").exit_code, 0);
  write_file(folder_ / "set/Shirt/mine.txt", "mine");
  expect_outcome(duel("augment --run run --per-class 1 --out set --clear"), 2, "--clear would remove Shirt/mine.txt");
  fs::create_directory(folder_ / "photographs");
  write_file(folder_ / "photographs/labels.csv", "mine");
  expect_outcome(duel("augment --run run --per-class 1 --out photographs --clear"), 2, "would remove labels.csv");
  expect_outcome(duel("augment --run run --per-class 1 --out run/config.toml"), 2, "is a file");
  EXPECT_EQ(names_in(folder_.path()), (std::vector<std::string>{"photographs", "run", "set"}));
}

TEST_F(CommandAugment, WhatCannotBeMeantIsRefused) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  expect_outcome(duel("augment --run run --per-class 2 --out set"), 2, "run: was trained without classes");
  expect_outcome(duel("augment --run run --out set"), 2, "by --per-class N or --fill");
  expect_outcome(duel("augment --run run --per-class 0 --out set"), 2, "--per-class");
  expect_outcome(duel("augment --run run --per-class 2 --fill --out set"), 2, "excludes");
  expect_outcome(duel("augment --run nowhere --per-class 2 --out set"), 3, "nowhere");
  EXPECT_FALSE(fs::exists(folder_ / "set"));
}

TEST_F(CommandAugment, ProvesByTrainingsOfEqualLength) {
  train_by_class();
  const std::string prove = "augment --run run --per-class 2 --prove --seeds 2 --steps 2 --threads 2 ";
  const Outcome text = duel(prove);
  expect_outcome(text, 0, "20/20: generated, seed 1: ");
  expect_outcome(text, 0,
                 "accuracy on 8 held-out pictures, mean and standard deviation over 2 seeds; preset classify, 2 "
                 "steps of 8 pictures each");
  expect_outcome(text, 0, "note: the generator was trained on all real training pictures");
  expect_outcome(text, 0, "the accuracy by ");
  const Outcome json_text = duel(prove + "--json");
  ASSERT_EQ(json_text.exit_code, 0) << json_text.output;
  const Json proof = Json::parse(json_text.output.substr(json_text.output.find('{')))["proof"];
  ASSERT_EQ(proof["cells"].size(), 10U);
  const std::vector<std::int64_t> real = {8, 8, 8, 24, 24, 24, 64, 64, 64, 0};
  const std::vector<std::int64_t> generated = {0, 16, 0, 0, 16, 0, 0, 16, 0, 16};
  for (std::size_t i = 0; i < real.size(); ++i) {
    EXPECT_EQ(proof["cells"][i]["real"], real[i]) << i;
    EXPECT_EQ(proof["cells"][i]["generated"], generated[i]) << i;
    EXPECT_EQ(proof["cells"][i]["accuracies"].size(), 2U) << i;
  }
  EXPECT_NE(text.output.find(proof["verdict"].get<std::string>()), std::string::npos);  // the same once more
  expect_outcome(duel("augment --run run --per-class 2 --seeds 2 --out set"), 2, "--seeds");
  expect_outcome(duel("augment --run run --per-class 2"), 2, "name a folder for the pictures by --out");
}

}  // namespace
}  // namespace duel::test
