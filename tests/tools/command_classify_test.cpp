// `duel train --preset classify` and `duel classify`: what is measured on held-out pictures, and files told apart.
#include "host/data/open_dataset.h"
#include "host/pictures/decode.h"
#include "host/pictures/png.h"
#include "tests/support/idx_bytes.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <map>
#include <sstream>

namespace duel::test {
namespace {

using Json = nlohmann::json;

const std::string kClassify =
    "train --preset classify --data synthetic --threads 2 --batch 16 --out run --set data.synthetic_count=256 "
    "--set data.synthetic_height=10 --set data.synthetic_width=8 --set model.filters=4 "
    "--set optimizer.learning_rate=1e-2 --set output.metrics_every=4 ";

// A whole IDX file of these bytes.
Bytes idx_of(const std::vector<std::uint32_t>& extents, const Bytes& values) {
  Bytes bytes = idx_header(0x08, extents);
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

// The rows of metrics.jsonl that have a number from held-out pictures, by their steps.
std::map<std::int64_t, double> measured(const std::string& rows) {
  std::map<std::int64_t, double> found;
  std::istringstream lines(rows);
  for (std::string line; std::getline(lines, line);) {
    const Json row = Json::parse(line);
    if (row.contains("held_out_accuracy")) {
      found[row["step"].get<std::int64_t>()] = row["held_out_accuracy"].get<double>();
      EXPECT_TRUE(row.contains("loss"));
    }
  }
  return found;
}

Picture synthetic_picture(int row) {
  Options::Data options;
  options.synthetic_count = 256;
  options.synthetic_height = 10;
  options.synthetic_width = 8;
  options.source = "synthetic";
  const Data data = open_dataset(options);
  Picture picture{10, 8, 1, std::vector<std::uint8_t>(80)};
  main_source(data).read(row, 0, reinterpret_cast<std::byte*>(picture.pixels.data()));
  return picture;
}

TEST_F(Command, AClassifierLearnsMeasuresAndClassifies) {
  const Outcome trained = duel(kClassify + "--steps 70 --set train.evaluate_every=30");
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  EXPECT_NE(trained.output.find("step 30: held_out_accuracy"), std::string::npos) << trained.output;
  EXPECT_NE(trained.output.find("rows: the class, columns: what is called"), std::string::npos) << trained.output;
  EXPECT_NE(trained.output.find("Bottle"), std::string::npos) << trained.output;
  EXPECT_TRUE(names_in(folder_ / "run/samples").empty());
  const auto found = measured(read_file(folder_ / "run/metrics.jsonl"));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found.contains(30) && found.contains(60) && found.contains(70));
  EXPECT_GT(found.at(70), 0.6);  // of 8 classes

  // What the checkpoint says is what training measured.
  const Outcome again = duel("classify --run run --held-out --json");
  ASSERT_EQ(again.exit_code, 0) << again.output;
  const Json table = Json::parse(again.output);
  EXPECT_DOUBLE_EQ(table["accuracy"].get<double>(), found.at(70));
  EXPECT_EQ(table["confusion"].size(), 8U);
  EXPECT_EQ(table["accuracy_by_class"].size(), 8U);
  std::int64_t rows = 0;
  for (const auto& row : table["confusion"]) {
    for (const auto& count : row) {
      rows += count.get<std::int64_t>();
    }
  }
  EXPECT_EQ(rows, 32);
  EXPECT_NE(duel("classify --run run --held-out").output.find("% of the pictures are called"), std::string::npos);

  // Pictures of its data, as PNG and as IDX: the same names.
  std::vector<std::uint8_t> pixels;
  std::string files;
  for (int row = 0; row < 8; ++row) {
    const Picture picture = synthetic_picture(row);
    write_png(folder_ / fmt::format("a,{}.png", row), picture);
    pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
    files += fmt::format(" 'a,{}.png'", row);
  }
  write_bytes(folder_ / "pictures-idx3-ubyte", idx_of({8, 10, 8}, pixels));
  ASSERT_EQ(duel("classify --run run --out called.csv" + files).exit_code, 0);
  const std::string csv = read_file(folder_ / "called.csv");
  EXPECT_EQ(csv.find("file,class,probability\n\"a,0.png\","), 0U) << csv;
  const Json of_png = Json::parse(duel("classify --run run --json" + files).output)["pictures"];
  const Json of_idx = Json::parse(duel("classify --run run --json pictures-idx3-ubyte").output)["pictures"];
  ASSERT_EQ(of_png.size(), 8U);
  ASSERT_EQ(of_idx.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(of_png[i]["class"], of_idx[i]["class"]);
    EXPECT_EQ(of_png[i]["probability"], of_idx[i]["probability"]);
    EXPECT_EQ(of_idx[i]["file"], fmt::format("pictures-idx3-ubyte#{}", i));
    EXPECT_GT(of_png[i]["probability"].get<double>(), 1.0 / 8);
    EXPECT_LE(of_png[i]["probability"].get<double>(), 1.0);
  }

  expect_outcome(duel("generate --run run --count 1 --out x"), 2, "recipe classify, which draws no pictures");
  expect_outcome(duel("classify --run run"), 2, "nothing says which pictures");
  expect_outcome(duel("classify --run run --held-out 'a,0.png'"), 2, "takes no files");
  expect_outcome(duel("classify --run run missing.png"), 3, "missing.png");
  write_file(folder_ / "notes.png", "no picture");
  expect_outcome(duel("classify --run run notes.png"), 3, "notes.png");
  write_png(folder_ / "large.png", {12, 9, 3, std::vector<std::uint8_t>(12 * 9 * 3)});
  expect_outcome(duel("classify --run run large.png"), 3,
                 "large.png: is of 12x9 pixels with 3 channels, but the network takes 10x8 with 1");
}

// Discs, which lie left in one class and right in the other, and are red or blue.
class ClassifiedPhotographs : public Command {
protected:
  void SetUp() override {
    if (!can_decode_photographs()) {
      GTEST_SKIP() << "this build has no libvips";
    }
    draw("shop", {"left", "right"});
  }

  void draw(const std::string& folder, const std::vector<std::string>& classes) const {
    for (int i = 0; i < 60; ++i) {
      const std::string file = fmt::format("{}/{}/{}.png", folder, classes[static_cast<std::size_t>(i % 2)], i);
      std::filesystem::create_directories((folder_ / file).parent_path());
      write_png(folder_ / file, disc(i % 2 == 0 ? 6 : 18, i / 2 % 2 == 0, i));
    }
  }

  static Picture disc(int centre, bool is_red, int seed) {
    Picture picture{20, 24, 3, {}};
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        const bool is_in = (y - 10) * (y - 10) + (x - centre) * (x - centre) < 25 + seed % 12;
        for (int c = 0; c < 3; ++c) {
          const bool is_dark = is_in && c != (is_red ? 0 : 2);
          picture.pixels.push_back(static_cast<std::uint8_t>(is_dark ? 20 : 200 + seed % 50));
        }
      }
    }
    return picture;
  }

  Outcome train(const std::string& more) const {
    return duel(
        "train --preset classify --data shop --size 16x16 --threads 2 --batch 8 --out run --set model.filters=8 "
        "--set model.blocks=1 --set model.stages=2 --set augment.flip=false --set augment.probability=0.1 " +
        more);
  }
};

TEST_F(ClassifiedPhotographs, AreToldJudgedAndDrawn) {
  const Outcome trained = train("--steps 60");
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  EXPECT_NE(read_file(folder_ / "run/config.toml").find("preset = \"classify-photographs\""), std::string::npos);
  const Json held_out = Json::parse(duel("classify --run run --held-out --json").output);
  EXPECT_GT(held_out["accuracy"].get<double>(), 0.7);
  EXPECT_EQ(held_out["calibration"]["bins"].size(), 15U);

  // Another folder: larger files, one class of another name, and one that nobody knows.
  draw("other", {"right", "left"});
  std::filesystem::rename(folder_ / "other/left", folder_ / "other/unknown");
  const Outcome judged = duel("classify --run run --data other --confusion seen.png");
  expect_outcome(judged, 0, "left out: 30 of class unknown, which the network does not know");
  EXPECT_NE(judged.output.find("30 pictures of other, by step 60"), std::string::npos) << judged.output;
  EXPECT_NE(judged.output.find("features: 16 numbers, weights crc32c "), std::string::npos) << judged.output;
  EXPECT_GT(read_png(folder_ / "seen.png").width, 100);
  ASSERT_EQ(duel("classify --run run --data other --confusion seen.svg").exit_code, 0);
  EXPECT_NE(read_file(folder_ / "seen.svg").find(">left<"), std::string::npos);
  expect_outcome(duel("info --run run"), 0, "weights of classifier crc32c ");
  std::filesystem::remove_all(folder_ / "other/right");
  expect_outcome(duel("classify --run run --data other"), 3,
                 "its classes are unknown, of which the network knows none");

  // Files and folders of any size; what is broken is told, and what is not is classified.
  write_file(folder_ / "shop/left/broken.jpg", "no picture");
  const Outcome called = duel("classify --run run shop shop/right/1.png --out called.csv");
  expect_outcome(called, 3, "shop/left/broken.jpg: ");
  EXPECT_NE(called.output.find("called.csv: 61 pictures by step 60"), std::string::npos) << called.output;
  const std::string csv = read_file(folder_ / "called.csv");
  EXPECT_NE(csv.find("shop/left/0.png,"), std::string::npos) << csv;
  std::filesystem::create_directory(folder_ / "empty");
  expect_outcome(duel("classify --run run empty"), 3, "empty: there is no picture");
  expect_outcome(duel("classify --run run --data shop --held-out"), 2, "give one");
  expect_outcome(duel("classify --run run shop --confusion x.png"), 2, "is of --held-out or --data");
  expect_outcome(duel("classify --run run --held-out --confusion x.gif"), 2, "must end in .png or .svg");
}

TEST_F(ClassifiedPhotographs, TagsAreLearntWhereTheyAreKnown) {
  std::string table = "file,colour,place\n";
  for (int i = 0; i < 60; ++i) {
    table += fmt::format("{}.png,{},{}\n", i,
                         i % 5 == 0       ? ""
                         : i / 2 % 2 == 0 ? "red"
                                          : "blue",
                         i % 2 == 0 ? "left" : "right");
  }
  write_file(folder_ / "shop/labels.csv", table);
  const Outcome trained = train("--steps 60 --set data.target=attributes");
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  EXPECT_NE(trained.output.find("mean average precision"), std::string::npos) << trained.output;
  const Json all = Json::parse(duel("classify --run run --data shop --json").output);
  EXPECT_EQ(all["tags"], Json({"colour=blue", "colour=red", "place=left", "place=right"}));
  EXPECT_EQ(all["by_tag"][0]["known"], 48);
  EXPECT_GT(all["mean_average_precision"].get<double>(), 0.9);
  const Outcome csv = duel("classify --run run shop/left");
  expect_outcome(csv, 0, "file,colour=blue,colour=red,place=left,place=right\nshop/left/0.png,");
  expect_outcome(duel("classify --run run --held-out --confusion x.png"), 2, "tells tags");
  // As an extractor it has features, but no classes.
  const Outcome evaluated =
      duel("evaluate --pictures shop --data shop --size 16x16 --extractor classifier:run --fold train --json");
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.output;
  const Json figures = Json::parse(evaluated.output)["figures"];
  EXPECT_TRUE(figures.contains("kernel_distance")) << evaluated.output;
  EXPECT_FALSE(figures.contains("class_score")) << evaluated.output;
}

TEST_F(Command, MeasuringHeldOutPicturesChangesNoByteOfTheTraining) {
  ASSERT_EQ(duel(kClassify + "--steps 20 --set train.evaluate_every=3").exit_code, 0);
  const std::string measured_often = read_file(folder_ / "run/checkpoints/step_000000020/state.safetensors");
  const auto whole = measured(read_file(folder_ / "run/metrics.jsonl"));
  EXPECT_EQ(whole.size(), 7U);
  ASSERT_EQ(std::rename((folder_ / "run").c_str(), (folder_ / "often").c_str()), 0);
  ASSERT_EQ(duel(kClassify + "--steps 20 --set train.evaluate_every=0").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "run/checkpoints/step_000000020/state.safetensors"), measured_often);
  EXPECT_EQ(measured(read_file(folder_ / "run/metrics.jsonl")).size(), 1U);

  // In two parts: the same bytes, and the rows of both.
  std::filesystem::remove_all(folder_ / "run");
  const std::string parts = kClassify + "--set train.evaluate_every=3 --set output.checkpoint_every=9 --steps 20 ";
  ASSERT_EQ(duel(parts).exit_code, 0);
  ASSERT_EQ(duel("train --out run --resume --step 9").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "run/checkpoints/step_000000020/state.safetensors"), measured_often);
  EXPECT_EQ(measured(read_file(folder_ / "run/metrics.jsonl")), whole);
}

TEST_F(Command, WhatAClassifierCannotLearnFromIsRefused) {
  const std::string train = "train --preset classify --out run --steps 2 --batch 2 --set model.filters=4 --data data ";
  std::filesystem::create_directories(folder_ / "data");
  const std::vector<std::uint8_t> pixels(4 * 6 * 5, 7);
  write_bytes(folder_ / "data/train-images-idx3-ubyte", idx_of({4, 6, 5}, pixels));
  expect_outcome(duel(train), 2, "recipe classify: needs the field label of the source main, which has only picture");
  write_bytes(folder_ / "data/train-labels-idx1-ubyte", idx_of({4}, {0, 2, 2, 0}));
  expect_outcome(duel(train), 3, "no picture is of class 1 (1), so it cannot be learnt");
  write_file(folder_ / "data/classes.txt", "shoe\nbag\n");
  expect_outcome(duel(train), 3, "the label of row 1 is 2");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));

  // Without pictures that are held out it trains, and says so.
  write_bytes(folder_ / "data/train-labels-idx1-ubyte", idx_of({4}, {0, 1, 1, 0}));
  expect_outcome(duel(train), 0, "so held_out_accuracy is not measured");
  EXPECT_TRUE(measured(read_file(folder_ / "run/metrics.jsonl")).empty());
  expect_outcome(duel("classify --run run --held-out"), 3, "hold no pictures with labels out of training");

  ASSERT_EQ(this->train("--steps 2 --out gan").exit_code, 0);
  expect_outcome(duel("classify --run gan --held-out"), 2, "gan: is a run of the recipe gan");
}

}  // namespace
}  // namespace duel::test
