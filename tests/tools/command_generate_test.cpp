// `duel generate`: folders, seeds, and ways between them.
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace duel::test {
namespace {

TEST_F(Command, OldPicturesAreNotMixedWithNewOnes) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  const std::string generate = "generate --run run ";
  ASSERT_EQ(duel(generate + "--count 9 --out a").exit_code, 0);
  write_file(folder_ / "a/notes.txt", "mine");
  expect_outcome(duel(generate + "--count 2 --out a"), 2,
                 "a: holds pictures already (0000000.png, 0000001.png, 0000002.png and 6 more); name another --out, or "
                 "remove them first with --clear");
  EXPECT_EQ(names_in(folder_ / "a").size(), 10U);
  ASSERT_EQ(duel(generate + "--seeds 3,5-6 --out a --clear").exit_code, 0);
  EXPECT_EQ(names_in(folder_ / "a"), (std::vector<std::string>{"notes.txt", "seed_0000000003.png",
                                                               "seed_0000000005.png", "seed_0000000006.png"}));
  write_file(folder_ / "a/cat.jpg", "mine");
  expect_outcome(duel(generate + "--count 2 --out a --clear"), 2, "a: holds other pictures (cat.jpg)");
  EXPECT_EQ(names_in(folder_ / "a").size(), 5U);
  expect_outcome(duel(generate + "--grid 2x2 --out x.jpg"), 2, "--out x.jpg: a sheet is written as PNG");
  expect_outcome(duel(generate + "--grid 2x2 --out x"), 2, "must end in .png");
  expect_outcome(duel(generate + "--count 1 --out x.png"), 2, "--out x.png: single pictures go into a folder");
  EXPECT_EQ(names_in(folder_.path()), (std::vector<std::string>{"a", "run"}));
}

TEST_F(Command, ListsOfSeedsAndWaysBetweenThem) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  const std::string generate = "generate --run run ";
  ASSERT_EQ(duel(generate + "--seeds 1,5,9-12 --out a").exit_code, 0);
  EXPECT_EQ(names_in(folder_ / "a").size(), 6U);
  ASSERT_EQ(duel(generate + "--seeds 11-100 --out b").exit_code, 0);
  ASSERT_EQ(duel(generate + "--seed 11 --count 1 --out c").exit_code, 0);
  const std::string eleven = read_file(folder_ / "a/seed_0000000011.png");
  EXPECT_EQ(read_file(folder_ / "b/seed_0000000011.png"), eleven);
  EXPECT_EQ(read_file(folder_ / "c/0000000.png"), eleven);
  EXPECT_NE(read_file(folder_ / "a/seed_0000000012.png"), eleven);
  ASSERT_EQ(duel(generate + "--seeds 18446744073709551614-18446744073709551615 --out d").exit_code, 0);

  ASSERT_EQ(duel(generate + "--interpolate 5,11,5 --steps-between 3 --out way").exit_code, 0);
  EXPECT_EQ(names_in(folder_ / "way").size(), 9U);
  EXPECT_EQ(read_file(folder_ / "way/0000004.png"), eleven);
  EXPECT_EQ(read_file(folder_ / "way/0000000.png"), read_file(folder_ / "a/seed_0000000005.png"));
  EXPECT_EQ(read_file(folder_ / "way/0000000.png"), read_file(folder_ / "way/0000008.png"));
  EXPECT_NE(read_file(folder_ / "way/0000001.png"), read_file(folder_ / "way/0000002.png"));
  EXPECT_EQ(duel(generate + "--interpolate 5,11 --steps-between 2 --grid 2x2 --out way.png").exit_code, 0);
  EXPECT_EQ(duel(generate + "--seeds 1-3 --grid 2x2 --out seeds.png").exit_code, 0);

  expect_outcome(duel(generate + "--seeds 1-5 --grid 2x2 --out x.png"), 2, "5 pictures are more than the 4 places");
  expect_outcome(duel(generate + "--seeds 1,5,1 --out x"), 2, "names seed 1 twice");
  for (const char* seeds : {"1,", ",1", "5-3", "1-", "-3", "'1 2'", "x", "0x1", "1--2", "18446744073709551616", "''"}) {
    expect_outcome(duel(generate + "--out x --seeds=" + seeds), 2, "--seeds");
  }
  expect_outcome(duel(generate + "--seeds 0-18446744073709551615 --out x"), 2, "are more than 10000000 seeds");
  expect_outcome(duel(generate + "--interpolate 5 --out x"), 2, "at least two seeds");
  expect_outcome(duel(generate + "--seeds 1 --seed 2 --out x"), 2, "--seed");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(Command, ACheckpointWithoutItsJsonIsNamed) {
  ASSERT_EQ(train("--steps 4 --set output.checkpoint_every=2").exit_code, 0);
  std::filesystem::remove(folder_ / "run/checkpoints/step_000000004/state.json");
  expect_outcome(
      duel("generate --run run --count 1 --out x"), 3,
      "run/checkpoints/step_000000004: has no state.json, so it is no whole checkpoint; the checkpoint of step "
      "2 is whole: --step 2 takes it");
  expect_outcome(duel("train --out run --resume --steps 6"), 3, "has no state.json");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(Command, GenerateTellsProgramsWhatItMade) {
  ASSERT_EQ(train("--steps 2").exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(duel("generate --run run --count 3 --out a --json").output),
            nlohmann::json({{"out", "a"}, {"pictures", 3}, {"step", 2}}));
}

TEST_F(Command, PicturesOfClassesAreDrawnAndTabled) {
  const std::string by_class =
      "--set model.networks=conv-steady --set data.labels=true --set model.filters=2 "
      "--set data.synthetic_width=12 --set data.synthetic_height=8 --set model.features=4 ";
  ASSERT_EQ(train("--steps 2 " + by_class).exit_code, 0);
  const std::string generate = "generate --run run ";
  ASSERT_EQ(duel(generate + "--count 3 --class shoe,bag --out a").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "a/labels.csv"), "file,label\n0000000.png,Shoe\n0000001.png,Bag\n0000002.png,Shoe\n");
  ASSERT_EQ(duel(generate + "--count 3 --class shoe --out b").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "a/0000002.png"), read_file(folder_ / "b/0000002.png"));
  EXPECT_NE(read_file(folder_ / "a/0000001.png"), read_file(folder_ / "b/0000001.png"));
  ASSERT_EQ(duel(generate + "--count 9 --out all").exit_code, 0);  // eight classes in turn
  const std::string table = read_file(folder_ / "all/labels.csv");
  EXPECT_NE(table.find("0000007.png,Bottle\n0000008.png,Box\n"), std::string::npos) << table;
  ASSERT_EQ(duel(generate + "--seeds 4 --class-mix bag:0.5,shoe:0.5 --out mix").exit_code, 0);
  EXPECT_EQ(names_in(folder_ / "mix"), (std::vector<std::string>{"seed_0000000004.png"}));
  EXPECT_EQ(duel(generate + "--grid 8x2 --out sheet.png").exit_code, 0);
  expect_outcome(duel(generate + "--count 1 --class botle --out x"), 2, "did you mean Bottle?");
  expect_outcome(duel(generate + "--count 1 --class bag --class-mix bag:1 --out x"), 2, "--class");
  expect_outcome(duel(generate + "--seeds 1,2 --out x"), 2, "--seeds needs one --class, or --class-mix");
  ASSERT_EQ(duel("train --out plain --steps 1 " + kSmall).exit_code, 0);
  expect_outcome(duel("generate --run plain --count 1 --class bag --out x"), 2,
                 "plain: it was trained without classes");
}

}  // namespace
}  // namespace duel::test
