// `duel explore`: its sheets, its animation and its directions.
#include "host/files/safetensors.h"
#include "host/pictures/decode.h"
#include "host/pictures/gif.h"
#include "tests/tools/command_by_class.h"

#include <nlohmann/json.hpp>

namespace duel::test {
namespace {

using Json = nlohmann::json;

class CommandExplore : public CommandByClass {};

TEST_F(CommandExplore, ShowsDirectionsAndWays) {
  train_by_class();
  const std::string command = "explore --run run --directions 3 --frames 4 --ways 3 --threads 2 ";
  const Outcome outcome = duel(command + "--out a --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const Json json = Json::parse(outcome.output);
  EXPECT_EQ(json["layer"], "generator/dense");
  for (const char* kind : {"sefa", "pca"}) {
    ASSERT_EQ(json["shares"][kind].size(), 3U);
    EXPECT_GE(json["shares"][kind][0], json["shares"][kind][1]);
  }
  std::vector<std::string> wanted = {"class_mixes.png", "directions.safetensors", "pca.png",
                                     "sefa.png",        "truncation.png",         "way.png"};
  if (why_no_gif().empty()) {
    wanted.insert(wanted.end() - 1, "way.gif");
    EXPECT_EQ(read_file(folder_ / "a/way.gif").substr(0, 6), "GIF89a");
    EXPECT_TRUE(picture_facts(folder_ / "a/way.gif").is_animated);
  } else {
    EXPECT_NE(json["notes"].dump().find("way.gif was not written"), std::string::npos);
  }
  EXPECT_EQ(names_in(folder_ / "a"), wanted);
  const SafetensorsFile directions(folder_ / "a/directions.safetensors");
  EXPECT_EQ(directions.entry("sefa").shape, (std::vector<std::int64_t>{3, 6}));
  expect_outcome(duel(command + "--out b"), 0, "b/sefa.png");
  for (const std::string& name : wanted) {
    EXPECT_EQ(read_file(folder_ / "a" / name), read_file(folder_ / "b" / name)) << name;
  }
  expect_outcome(duel(command + "--out c --way linear --truncation 0.5 --class bag"), 0, "c/way.png");
  EXPECT_NE(read_file(folder_ / "a/way.png"), read_file(folder_ / "c/way.png"));
}

// Of a run without classes there are no mixes, and no class is shown.
TEST_F(CommandExplore, WithoutClasses) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  expect_outcome(duel("explore --run run --frames 2 --directions 2 --out a"), 0, "a/way.png");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a/class_mixes.png"));
  expect_outcome(duel("explore --run run --out b --class shoe"), 2, "trained without classes");
}

TEST_F(CommandExplore, WhatCannotBeMeantIsRefused) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  expect_outcome(duel("explore --run run --out a --way straight"), 2, "--way straight: must be slerp or linear");
  expect_outcome(duel("explore --run run --out run"), 2, "holds files already");
  expect_outcome(duel("explore --run run --out /proc/here"), 3, "/proc/here");
  expect_outcome(duel("explore --run run --out a --directions 0"), 2, "--directions 0: must be an integer from 1");
  expect_outcome(duel("train --preset classify --out classes --threads 1 --steps 2 --batch 8 --set model.filters=4 "
                      "--data synthetic --set data.synthetic_count=64 --set data.synthetic_height=8 "
                      "--set data.synthetic_width=8"),
                 0, "");
  expect_outcome(duel("explore --run classes --out a"), 2, "draws no pictures from latents");
}

}  // namespace
}  // namespace duel::test
