// `duel enlarge`, `duel repair` and `duel translate`: a person's photographs through the network of a run, and what is
// refused.
#include "host/pictures/decode.h"
#include "host/pictures/png.h"
#include "tests/support/paths.h"
#include "tests/support/photographs.h"
#include "tests/tools/command.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

namespace duel::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Two steps of a tiny network: its pictures are hardly what they should be, but whole.
const std::string kTiny =
    "--data synthetic --threads 2 --batch 2 --steps 2 --set data.synthetic_count=8 --set data.synthetic_height=16 "
    "--set data.synthetic_width=16 --set data.synthetic_channels=3 --size auto --set data.crop=8 --set model.filters=4 "
    "--set model.blocks=1 --set model.encoder_blocks=[1,1] --set model.middle_blocks=1 --set "
    "model.decoder_blocks=[1,1] "
    "--set output.sample_rows=1 --set output.sample_columns=1 ";

class RestoreCommand : public Command {
protected:
  void SetUp() override {
    if (!can_decode_photographs()) {
      GTEST_SKIP() << "this build has no libvips";
    }
    write_png(folder_ / "a.png", drawn_picture(1, 50, 70));
    write_png(folder_ / "b.png", drawn_picture(2, 20, 9));
  }
  void train_run(const std::string& run, const std::string& arguments) const {
    const Outcome trained = duel("train --out " + run + " " + kTiny + arguments);
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
  }
};

TEST_F(RestoreCommand, EnlargesPhotographsOfAnySize) {
  train_run("run", "--preset enlarge");
  const Outcome made = duel("enlarge a.png b.png --run run --out large --tile 16 --sheet --json --threads 2");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const Json json = Json::parse(made.output);
  EXPECT_EQ(json["scale"], 2);
  EXPECT_EQ(json["pictures"][1]["width"], 18);
  EXPECT_EQ(json["sheets"][0], "large/before_after_1.png");
  EXPECT_GT(read_png(folder_ / "large/before_after_1.png").width, 2 * 140);
  const Picture parts = read_png(folder_ / "large/a.png");
  ASSERT_TRUE(parts.height == 100 && parts.width == 140 && parts.channels == 3);

  // In one tile it is the same, but for the pixels about which tiles see less.
  ASSERT_EQ(duel("enlarge a.png --run run --out whole --step 2").exit_code, 0);
  const Picture whole = read_png(folder_ / "whole/a.png");
  double difference = 0, shown = 0;
  for (std::size_t i = 0; i < whole.pixels.size(); ++i) {
    difference += std::abs(whole.pixels[i] - parts.pixels[i]);
    shown += whole.pixels[i];
  }
  EXPECT_LT(difference, 0.01 * shown);

  expect_outcome(duel("enlarge a.png --run run --out large"), 2, "large/a.png: is there already");
  expect_outcome(duel("repair a.png --run run --out other"), 2, "was trained to enlarge photographs 2 times");
  expect_outcome(duel("enlarge a.png --run run --out a.png"), 3, "a.png");
  fs::create_directory(folder_ / "twice");
  fs::copy(folder_ / "a.png", folder_ / "twice/a.png");
  expect_outcome(duel("enlarge a.png twice --run run --out other"), 2, "would both be written as other/a.png");
  EXPECT_FALSE(fs::exists(folder_ / "other"));

  // What cannot be read is passed over.
  write_file(folder_ / "twice/broken.jpg", "no picture");
  write_png(folder_ / "twice/dot.png", Picture{2, 2, 3, std::vector<std::uint8_t>(12)});
  const Outcome some = duel("enlarge twice --run run --out some");
  expect_outcome(some, 3, "some: 1 photographs by step 2");
  EXPECT_NE(some.output.find("twice/broken.jpg: is no JPEG"), std::string::npos) << some.output;
  EXPECT_NE(some.output.find("twice/dot.png: has 2x2 pixels"), std::string::npos) << some.output;
  expect_outcome(duel("enlarge twice/broken.jpg twice/dot.png --run run --out none"), 3,
                 "none of the 2 photographs can be taken");
  expect_outcome(duel("enlarge nowhere.jpg --run run --out none"), 3, "nowhere.jpg: ");
}

TEST_F(RestoreCommand, RepairsAndKeepsOpacity) {
  train_run("run", "--preset repair");
  Picture clear = drawn_picture(3, 21, 33, 4);
  for (std::size_t pixel = 0; pixel < clear.pixels.size() / 4; ++pixel) {
    clear.pixels[4 * pixel + 3] = static_cast<std::uint8_t>(pixel % 256);
  }
  write_png(folder_ / "clear.png", clear);
  write_png(folder_ / "grey.png", drawn_picture(3, 21, 33, 1));
  const Outcome made = duel("repair clear.png grey.png --run run --out out");
  expect_outcome(made, 0, "converted to sRGB of 8 bits: grey.png (grey)");
  const Picture repaired = read_png(folder_ / "out/clear.png", Transparency::kept);
  ASSERT_TRUE(repaired.height == 21 && repaired.width == 33 && repaired.channels == 4);
  for (std::size_t pixel = 0; pixel < clear.pixels.size() / 4; ++pixel) {
    ASSERT_EQ(repaired.pixels[4 * pixel + 3], clear.pixels[4 * pixel + 3]);
  }
  EXPECT_EQ(read_png(folder_ / "out/grey.png").channels, 3);
  fs::create_directories(folder_ / "grey");
  for (int i = 0; i < 5; ++i) {
    write_png(folder_ / fmt::format("grey/{}.png", i), drawn_picture(3, 21, 33, 1));
  }
  expect_outcome(duel("repair grey --run run --out five"), 0,
                 "grey/0.png (grey), grey/1.png (grey), grey/2.png (grey) and 2 more");
  expect_outcome(duel("enlarge a.png --run run --out other"), 2, "was trained to repair photographs (noise:25)");
  expect_outcome(duel("repair a.png --run run --out other --mask a.png"), 2, "was trained on noise:25, where none are");
  expect_outcome(duel("repair a.png --run run --out other --tile 18"), 2, "multiples of 4");
  expect_outcome(duel("repair a.png --run run --out other --job noise"), 2, "was trained on one degradation alone");
  expect_outcome(duel("repair a.png --run run --out other --tile x"), 2, "--tile");
  expect_outcome(duel("repair a.png --run run --out other --step best"), 3, "best");
}

TEST_F(RestoreCommand, CompletesWhatIsMissingAndLeavesTheRest) {
  train_run("run", "--preset repair --degrade hole:3");
  const Picture photograph = drawn_picture(4, 40, 30);
  Picture mask{40, 30, 1, std::vector<std::uint8_t>(40 * 30)}, holed{40, 30, 4, {}};
  for (int pixel = 0; pixel < 40 * 30; ++pixel) {
    const bool is_missing = pixel / 30 > 10 && pixel / 30 < 20 && pixel % 30 > 5 && pixel % 30 < 17;
    mask.pixels[static_cast<std::size_t>(pixel)] = is_missing ? 255 : 0;
    for (int c = 0; c < 3; ++c) {
      holed.pixels.push_back(photograph.pixels[static_cast<std::size_t>(3 * pixel + c)]);
    }
    holed.pixels.push_back(is_missing ? 0 : 255);
  }
  write_png(folder_ / "photo.png", photograph);
  write_png(folder_ / "mask.png", mask);
  write_png(folder_ / "holed.png", holed);
  ASSERT_EQ(duel("repair photo.png --run run --out by_mask --mask mask.png --tile 16 --sheet").exit_code, 0);
  ASSERT_EQ(duel("repair holed.png --run run --out by_opacity --tile 16").exit_code, 0);
  const Picture made = read_png(folder_ / "by_mask/photo.png");
  EXPECT_EQ(read_png(folder_ / "by_opacity/holed.png", Transparency::kept), made);  // and opaque
  std::set<std::uint8_t> new_values;
  for (std::size_t i = 0; i < made.pixels.size(); ++i) {
    if (mask.pixels[i / 3] == 0) {
      ASSERT_EQ(made.pixels[i], photograph.pixels[i]);
    } else {
      new_values.insert(made.pixels[i]);
    }
  }
  EXPECT_GT(new_values.size(), 1U);

  expect_outcome(duel("repair a.png --run run --out x --mask mask.png"), 3,
                 "has 70x50 pixels, but the mask mask.png has 30x40");
  expect_outcome(duel("repair photo.png --run run --out x"), 3, "nothing says which pixels are missing");
  write_png(folder_ / "none.png", Picture{40, 30, 1, std::vector<std::uint8_t>(40 * 30)});
  write_png(folder_ / "all.png", Picture{40, 30, 1, std::vector<std::uint8_t>(40 * 30, 255)});
  expect_outcome(duel("repair photo.png --run run --out x --mask none.png"), 3, "none of its pixels is white");
  expect_outcome(duel("repair photo.png --run run --out x --mask all.png"), 3, "every one of its pixels is white");
  expect_outcome(duel("repair photo.png --run run --out x --mask nowhere.png"), 3, "nowhere.png");
}

TEST_F(RestoreCommand, UndoesTheOneOfSeveralThatIsNamed) {
  train_run("run", "--preset repair --degrade noise:25,blur:1.6,strokes --set data.synthetic_count=24");
  Picture mask{50, 70, 1, std::vector<std::uint8_t>(50 * 70)};
  std::fill_n(mask.pixels.begin() + 700, 700, std::uint8_t{255});
  write_png(folder_ / "mask.png", mask);
  ASSERT_EQ(duel("repair a.png --run run --job noise --out noise --sheet").exit_code, 0);
  ASSERT_EQ(duel("repair a.png --run run --job blur --out blur").exit_code, 0);
  ASSERT_EQ(duel("repair a.png --run run --job strokes --mask mask.png --out whole").exit_code, 0);
  const Picture given = read_png(folder_ / "a.png"), noise = read_png(folder_ / "noise/a.png"),
                blur = read_png(folder_ / "blur/a.png"), whole = read_png(folder_ / "whole/a.png");
  EXPECT_NE(noise.pixels, given.pixels);
  EXPECT_NE(noise.pixels, blur.pixels);
  for (std::size_t i = 0; i < given.pixels.size(); ++i) {
    if (mask.pixels[i / 3] == 0) {
      ASSERT_EQ(whole.pixels[i], given.pixels[i]);
    }
  }
  expect_outcome(duel("repair a.png --run run --out other"), 2,
                 "--job says which one it is to undo: noise, blur, strokes");
  expect_outcome(duel("repair a.png --run run --job jpeg --out other"), 2, "--job jpeg: run was trained on several");
  expect_outcome(duel("repair a.png --run run --job noise --mask mask.png --out other"), 2,
                 "is to undo noise, where none are; choose the job that leaves holes");
  expect_outcome(duel("evaluate --run run --degrade noise:25"), 2, "must name these in this order");
  const Outcome evaluated = duel("evaluate --run run --degrade noise:50,blur:1.6,hole:4 --json");
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.output;
  EXPECT_EQ(Json::parse(evaluated.output)["jobs"][2]["job"], "hole");
}

TEST_F(RestoreCommand, TranslatesPhotographsOfAnySize) {
  const std::string larger = " --set data.synthetic_height=32 --set data.synthetic_width=32 --set data.crop=0 ";
  train_run("run", "--preset pix2pix --set model.adversary_filters=2 --set loss.penalty_every=2" + larger);
  const Outcome made = duel("translate a.png b.png --run run --out coloured --sheet --json");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const Json json = Json::parse(made.output);
  EXPECT_EQ(json["scale"], 1);
  EXPECT_EQ(json["tile"][0], 32);  // as it was trained
  const Picture coloured = read_png(folder_ / "coloured/a.png");
  ASSERT_TRUE(coloured.height == 50 && coloured.width == 70 && coloured.channels == 3);
  EXPECT_GT(std::set<std::uint8_t>(coloured.pixels.begin(), coloured.pixels.end()).size(), 2U);
  // It is the same function as repair's, by a run of the same size.
  ASSERT_EQ(duel("repair a.png --run run --out repaired").exit_code, 0);
  EXPECT_EQ(read_png(folder_ / "repaired/a.png"), coloured);
  expect_outcome(duel("translate a.png --run run --out other --tile 48"), 2, "multiples of 32");
  train_run("larger", "--preset enlarge");
  expect_outcome(duel("translate a.png --run larger --out other"), 2,
                 "was trained to enlarge photographs 2 times; `duel enlarge` does so, and `duel translate` needs");
  expect_outcome(duel("train --out small " + kTiny + "--preset pix2pix"), 2,
                 "loss.adversary: patch_discriminator: pictures are 8x8");
}

TEST_F(RestoreCommand, RefusesTheRunOfAnotherRecipe) {
  ASSERT_EQ(train("--steps 1").exit_code, 0);
  expect_outcome(duel("translate a.png --run run --out x"), 2, "run: is a run of the recipe gan");
  expect_outcome(duel("enlarge a.png --run run --out x"), 2, "run: is a run of the recipe gan");
  expect_outcome(duel("repair a.png --run run --out x"), 2, "run: is a run of the recipe gan");
  expect_outcome(duel("repair a.png --run nowhere --out x"), 3, "nowhere");
}

}  // namespace
}  // namespace duel::test
