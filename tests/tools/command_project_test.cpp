// `duel project`, and what is drawn again of the latents that it found.
#include "host/pictures/decode.h"
#include "host/pictures/png.h"
#include "host/sample/latent_file.h"
#include "tests/tools/command_by_class.h"

#include <nlohmann/json.hpp>

#include <filesystem>

namespace duel::test {
namespace {

using Json = nlohmann::json;

Json json_in(const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  return Json::parse(outcome.output.substr(outcome.output.find('{')));
}

class CommandProject : public CommandByClass {};

TEST_F(CommandProject, WhatTheRunDrewIsFoundAgain) {
  ASSERT_EQ(train("--steps 3 --set model.latent=6").exit_code, 0);
  ASSERT_EQ(duel("generate --run run --count 2 --seed 9 --out drawn").exit_code, 0);
  const std::string command = "project drawn/0000000.png drawn/0000001.png --run run --steps 200 --threads 2 ";
  const Json json = json_in(duel(command + "--out a --json"));
  ASSERT_EQ(json["pictures"].size(), 2U);
  for (const Json& picture : json["pictures"]) {
    EXPECT_GT(picture["psnr"], 35) << picture;
    EXPECT_EQ(picture["fold"], "new");
    EXPECT_EQ(picture["starts"].size(), 8U);
    EXPECT_EQ(picture["class"], "");
    EXPECT_GT(picture["psnr"], picture["nearest"][0]["psnr"]);
    EXPECT_GT(picture["psnr"], picture["mean_psnr"]);
  }
  EXPECT_EQ(names_in(folder_ / "a"),
            (std::vector<std::string>{"0000000.png", "0000001.png", "all.png", "latents.safetensors"}));
  // The same seed gives the same bytes, and what was found is drawn again.
  const Outcome text = duel(command + "--out b");
  expect_outcome(text, 0, "a latent is one vector of 6 numbers");
  for (const std::string& name : names_in(folder_ / "a")) {
    EXPECT_EQ(read_file(folder_ / "a" / name), read_file(folder_ / "b" / name)) << name;
  }
  expect_outcome(duel("generate --run run --latents a/latents.safetensors --out again"), 0, "2 pictures");
  expect_outcome(duel("project again --run run --steps 1 --starts 1 --out c --json"), 0, "again/0000001.png");
  EXPECT_NE(read_file(folder_ / "again/0000000.png"), read_file(folder_ / "again/0000001.png"));
  // One start alone comes to what it does among eight.
  const Json alone = json_in(duel(command + "--out d --starts 1 --json"));
  for (const Json& start : json["pictures"][0]["starts"]) {
    if (start["start"] == 0) {
      EXPECT_EQ(start, alone["pictures"][0]["starts"][0]);
    }
  }
}

TEST_F(CommandProject, ClassesAreGivenOrTried) {
  train_by_class();
  ASSERT_EQ(duel("generate --run run --count 1 --class shoe --out drawn").exit_code, 0);
  const std::string command = "project drawn/0000000.png --run run --steps 30 --starts 2 --json --out ";
  const Json all = json_in(duel(command + "a"));
  EXPECT_EQ(all["pictures"][0]["starts"].size(), 16U);  // two of each class
  const Json shoe = json_in(duel(command + "b --class shoe"));
  ASSERT_EQ(shoe["pictures"][0]["starts"].size(), 2U);
  EXPECT_EQ(shoe["pictures"][0]["class"], "Shoe");
  for (const Json& start : all["pictures"][0]["starts"]) {
    if (start["class"] == "Shoe" && start["start"] == shoe["pictures"][0]["starts"][0]["start"]) {
      EXPECT_EQ(start, shoe["pictures"][0]["starts"][0]);
    }
  }
  const SavedLatents saved = read_latents(folder_ / "b/latents.safetensors");
  EXPECT_EQ(saved.classes.size(), 8U);
  EXPECT_EQ(saved.names, (std::vector<std::string>{"drawn/0000000.png"}));
  ASSERT_EQ(duel("generate --run run --latents b/latents.safetensors --out again").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "again/labels.csv"), "file,label\n0000000.png,Shoe\n");
  expect_outcome(duel(command + "c --class boot"), 2, "has no such class");
}

TEST_F(CommandProject, RowsOfTheDataAreComparedByTheirFold) {
  train_by_class();
  const Outcome text = duel("project --run run --training 3 --held-out 3 --steps 5 --starts 1 --out a");
  expect_outcome(text, 0, "memorisation: 3 training pictures are found again with");
  const Json json = json_in(duel("project --run run --training 2 --held-out 1 --steps 5 --starts 1 --out b --json"));
  EXPECT_EQ(json["pictures"][0]["file"], "training picture 0");
  EXPECT_EQ(json["pictures"][1]["fold"], "training");
  EXPECT_EQ(json["pictures"][2]["fold"], "held out");
  EXPECT_EQ(json["pictures"][1]["starts"].size(), 1U);  // of its own class
  EXPECT_EQ(json["memorisation"], "");
  EXPECT_LT(json["pictures"][0]["nearest"][0]["psnr"], 100);  // another picture, not itself
}

TEST_F(CommandProject, FeaturesOfAClassifierAreCompared) {
  train_by_class();
  expect_outcome(duel("train --preset classify --out classes --threads 2 --steps 3 --batch 16 --set model.filters=4 "
                      "--data synthetic --set data.synthetic_count=64 --set data.synthetic_height=8 "
                      "--set data.synthetic_width=8"),
                 0, "");
  const Json json =
      json_in(duel("project --run run --training 1 --steps 5 --starts 2 --features classifier:classes --out a --json"));
  EXPECT_NE(json["features"].get<std::string>().find("classifier:classes, step 3"), std::string::npos);
  EXPECT_GT(json["pictures"][0]["starts"][0]["features"], 0);
  expect_outcome(duel("project --run run --training 1 --features pixels --out b"), 2, "must be classifier:RUN");
  expect_outcome(duel("project --run run --training 1 --features classifier:run --out b"), 2,
                 "makes no features of pictures");
}

// The first start of a VAE is what its encoder says, which is nearer than a latent that is drawn.
TEST_F(CommandProject, AnEncoderSaysWhereToBegin) {
  expect_outcome(
      duel("train --preset vae --out vae --threads 2 --steps 300 --batch 16 --precision fp32 --data synthetic "
           "--set data.synthetic_count=64 --set data.synthetic_height=8 --set data.synthetic_width=8 "
           "--set model.latent=6 --set model.filters=8 --set optimizer.learning_rate=0.003"),
      0, "");
  const Json json = json_in(duel("project --run vae --raw --training 2 --steps 1 --starts 2 --out a --json"));
  for (const Json& picture : json["pictures"]) {
    EXPECT_EQ(picture["starts"][0]["start"], 0);
    EXPECT_GT(picture["psnr"], picture["starts"][1]["psnr"].get<double>() + 4) << picture;
  }
}

TEST_F(CommandProject, WhatCannotBeMeantIsRefused) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  ASSERT_EQ(duel("generate --run run --count 1 --out drawn").exit_code, 0);
  expect_outcome(duel("project --run run --out a"), 2, "nothing says what to look for");
  expect_outcome(duel("project drawn --run run --out a --starts 0"), 2, "--starts 0: must be an integer from 1 to 64");
  expect_outcome(duel("project drawn --run run --out a --class shoe"), 2, "trained without classes");
  expect_outcome(duel("project drawn --run run --out a --class auto"), 2, "trained without classes");
  expect_outcome(duel("project none.png --run run --out a"), 3, "none.png");
  expect_outcome(duel("project drawn --run run --out drawn"), 2, "holds files already, as 0000000.png");
  expect_outcome(duel("project drawn --run run --out drawn/0000000.png"), 2, "is a file");
  expect_outcome(duel("project drawn --run run --out /proc/here"), 3, "/proc/here");
  write_png(folder_ / "large.png", {16, 16, 1, std::vector<std::uint8_t>(256)});
  expect_outcome(duel("project large.png --run run --out a"), 3, "is of 16x16 pixels");  // of drawn data: as they are
  expect_outcome(duel("project --run run --training 999 --out a"), 2,
                 "--training 999: must be an integer from 1 to 64");
  expect_outcome(duel("generate --run run --latents drawn/0000000.png --out b"), 3, "0000000.png");
  expect_outcome(duel("train --preset classify --out classes --threads 1 --steps 2 --batch 8 --set model.filters=4 "
                      "--data synthetic --set data.synthetic_count=64 --set data.synthetic_height=8 "
                      "--set data.synthetic_width=8"),
                 0, "");
  expect_outcome(duel("project drawn --run classes --out a"), 2, "draws no pictures from latents");
  EXPECT_EQ(names_in(folder_.path()), (std::vector<std::string>{"classes", "drawn", "large.png", "run"}));
}

TEST_F(CommandProject, PhotographsAreBroughtToTheRunsForm) {
  if (!can_decode_photographs()) {
    GTEST_SKIP() << "built without libvips";
  }
  for (int i = 0; i < 12; ++i) {
    std::filesystem::create_directories(folder_ / "shop");
    std::vector<std::uint8_t> pixels(std::size_t{20} * 24 * 3, static_cast<std::uint8_t>(20 * i));
    write_png(folder_ / fmt::format("shop/{}.png", i), {20, 24, 3, pixels});
  }
  expect_outcome(duel("train --preset classic --out run --threads 2 --steps 2 --batch 4 --data shop --size 12x8 "
                      "--set model.generator_widths=[8] --set model.discriminator_channels=[4] "
                      "--set model.discriminator_widths=[8] --set data.labels=false --set data.held_out=0"),
                 0, "");
  const Json json = json_in(duel("project shop/3.png shop --run run --steps 2 --starts 1 --out a --json"));
  EXPECT_EQ(json["pictures"].size(), 13U);
  EXPECT_EQ(json["pictures"][0]["fold"], "training");
  EXPECT_FALSE(json["pictures"][0]["nearest"][0]["file"].get<std::string>().empty());
  // Of a run whose photographs are gone the figures stand alone, which is said.
  std::filesystem::rename(folder_ / "shop", folder_ / "moved");
  const Outcome alone = duel("project moved/3.png --run run --steps 2 --starts 1 --out b");
  expect_outcome(alone, 0, "the training pictures cannot be read");
}

}  // namespace
}  // namespace duel::test
