// `duel evaluate`, from the command line.
#include "host/pictures/decode.h"
#include "tests/tools/command.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <string>

namespace duel::test {
namespace {

using Json = nlohmann::json;

// Drawn pictures of some classes, held out ones too.
const std::string kData =
    "--data synthetic --set data.synthetic_count=192 --set data.synthetic_height=12 --set data.synthetic_width=12 ";

Json parsed(const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  return Json::parse(outcome.output.substr(outcome.output.find('{')));
}

class CommandEvaluate : public Command {
protected:
  void train_classifier() const {
    expect_outcome(
        duel("train --preset classify --out classes --threads 2 --steps 12 --batch 16 --set model.filters=4 " + kData),
        0, "");
  }
  void train_generator(const std::string& arguments) const {
    expect_outcome(duel("train --preset classic --out run --threads 2 --steps 2 --batch 8 "
                        "--set model.generator_widths=[16] --set model.discriminator_channels=[4] "
                        "--set model.discriminator_widths=[8] " +
                        kData + arguments),
                   0, "");
  }
};

TEST_F(CommandEvaluate, ARunByTheClassifierOfAnother) {
  train_classifier();
  train_generator("--set data.labels=true");
  const Outcome text = duel("evaluate --run run --extractor classifier:classes --sheet pairs.png --by-class");
  expect_outcome(text, 0, "Frechet distance");
  expect_outcome(text, 0, "agreement");
  expect_outcome(text, 0, "of the reference's classes");
  expect_outcome(text, 0, "closest pairs: pairs.png");
  expect_outcome(text, 0, "note: the extractor calls");  // after twelve steps
  EXPECT_TRUE(std::filesystem::exists(folder_ / "pairs.png"));
  const Json json = parsed(duel("evaluate --run run --extractor classifier:classes --json"));
  EXPECT_EQ(json["fold"], "held out");
  EXPECT_EQ(json["pictures"], 12);  // half of the 24 that are held out, for the classifier knows the others
  EXPECT_EQ(json["extractor"]["has_seen_training_pictures"], true);
  EXPECT_EQ(json["extractor"]["weights"].get<std::string>().size(), 15U);
  EXPECT_TRUE(json["figures"]["frechet_distance"]["value"].is_number());
  EXPECT_TRUE(json["figures"]["agreement"]["floor"].is_number());
  EXPECT_GT(json["figures"]["kernel_distance"]["value"], json["figures"]["kernel_distance"]["floor"]);
  for (const char* place : {"value", "floor"}) {
    const Json& accuracy = json["figures"]["discriminator_accuracy"][place];
    EXPECT_GE(accuracy, 0);
    EXPECT_LE(accuracy, 1);
    EXPECT_TRUE(json["figures"]["logit_gap"][place].is_number());
  }
  EXPECT_FALSE(json["figures"].contains("reconstruction_psnr"));
  EXPECT_EQ(json["memorisation_by_features"]["generated"], 12);
  EXPECT_EQ(json["memorisation_by_features"]["training"], 192);
  EXPECT_GT(json["memorisation_by_features"]["median_distance"], 0);
  EXPECT_EQ(json["memorisation"]["training"], 192);
  EXPECT_FALSE(json["classes"].empty());
  EXPECT_EQ(parsed(duel("evaluate --run run --extractor classifier:classes --json"))["figures"], json["figures"]);
}

TEST_F(CommandEvaluate, WithoutAnExtractorOneIsTrainedOnceAndKept) {
  train_generator("");
  const std::string command = "evaluate --run run --count 8 --threads 2 --json";
  const Outcome first = duel(command);
  expect_outcome(first, 0, "training a classifier on synthetic to judge by");
  const Json json = parsed(first);
  const Outcome second = duel(command);
  EXPECT_EQ(second.output.find("training a classifier"), std::string::npos) << second.output;
  EXPECT_EQ(parsed(second)["extractor"], json["extractor"]);
  EXPECT_EQ(parsed(second)["figures"], json["figures"]);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "cache/duel/extractors"));
}

TEST_F(CommandEvaluate, AFolderOfPicturesAgainstAnother) {
  if (!can_decode_photographs()) {
    GTEST_SKIP() << "built without libvips";
  }
  train_generator("--set data.labels=true");
  expect_outcome(duel("generate --run run --count 64 --out shop"), 0, "64 pictures");
  expect_outcome(duel("generate --run run --count 24 --out pictures --seed 3"), 0, "24 pictures");
  const std::string against = "--data shop --size 12x12 --colour grey ";
  const Json json = parsed(duel("evaluate --pictures pictures --extractor pixels --held-out 0 --json " + against));
  EXPECT_EQ(json["pictures"], 24);
  EXPECT_EQ(json["fold"], "training");
  EXPECT_EQ(json["classes"].size(), 8U);
  EXPECT_EQ(json["classes"][0]["generated"], 3);
  EXPECT_LT(json["figures"]["kernel_distance"]["value"], 0.01);  // by the same generator
  EXPECT_FALSE(json["notes"].empty());                           // of the training pictures as reference
  const Json copies = parsed(duel("evaluate --pictures shop --extractor pixels --held-out 0 --json " + against));
  EXPECT_EQ(copies["memorisation"]["median_distance"], 0);
  std::filesystem::remove(folder_ / "shop/labels.csv");
  expect_outcome(duel("evaluate --pictures pictures " + against), 2,
                 "has no labels, so no classifier can be trained on it to judge by");
  expect_outcome(duel("evaluate --pictures pictures --extractor pixels --by-class " + against), 2, "has no labels");
}

TEST_F(CommandEvaluate, OfAnAutoencoderSaysHowWellItReconstructs) {
  expect_outcome(duel("train --preset vae --out run --threads 2 --steps 150 --batch 16 --set model.filters=8 "
                      "--set model.features=32 --set model.latent=16 --set optimizer.ema_decay=0.9 " +
                      kData),
                 0, "");
  const Json json = parsed(duel("evaluate --run run --extractor pixels --threads 2 --json"));
  const Json& figures = json["figures"];
  EXPECT_FALSE(figures.contains("discriminator_accuracy"));
  EXPECT_FALSE(json.contains("memorisation_by_features"));  // which are pixels
  // The run's own measurement of the same pictures, before they are rounded to bytes.
  const std::string log = read_file(folder_ / "run/metrics.jsonl");
  const std::size_t at = log.rfind("\"held_out_mse\":");
  ASSERT_NE(at, std::string::npos);
  const double mse = std::stod(log.substr(at + 15));
  EXPECT_NEAR(figures["reconstruction_psnr"]["value"].get<double>(), -10 * std::log10(mse), 0.02);
  EXPECT_GT(figures["reconstruction_ssim"]["value"], figures["reconstruction_ssim"]["floor"]);
  EXPECT_LE(figures["reconstruction_ms_ssim"]["value"], 1);
  EXPECT_NE(figures["reconstruction_psnr"]["note"].get<std::string>().find("of 24 of the reference"),
            std::string::npos);
}

TEST_F(CommandEvaluate, WhatCannotBeMeantIsRefused) {
  train_generator("");
  expect_outcome(duel("evaluate --run run --extractor pixels --copies shape"), 2, "must be pixels, features or auto");
  expect_outcome(duel("evaluate --run run --extractor onnx:"), 2, "must be classifier:RUN, onnx:FILE or pixels");
  expect_outcome(duel("evaluate --run run --extractor onnx:none.onnx"), 3, "none.onnx: cannot be opened for reading");
  expect_outcome(duel("evaluate"), 2, "name what is to be evaluated, --run RUN or --pictures FOLDER");
  expect_outcome(duel("evaluate --run run --pictures x"), 2, "not both");
  expect_outcome(duel("evaluate --pictures x"), 2, "--pictures needs --data SOURCE");
  expect_outcome(duel("evaluate --run nothing"), 3, "nothing");
  expect_outcome(duel("evaluate --run run --extractor inception"), 2, "must be classifier:RUN, onnx:FILE or pixels");
  expect_outcome(duel("evaluate --run run --extractor classifier:run"), 2, "which makes no features of pictures");
  expect_outcome(duel("evaluate --run run --extractor pixels --fold test"), 2, "must be held-out, train or auto");
  expect_outcome(duel("evaluate --run run --extractor pixels --by-class"), 2, "trained without classes");
  expect_outcome(duel("evaluate --run run --extractor pixels --sheet pairs.jpg"), 2, "must end in .png");
  expect_outcome(duel("evaluate --run run --extractor pixels --count 1"), 2, "an integer from 2");
  expect_outcome(duel("evaluate --run run --extractor pixels --sheet none/here.png"), 3, "none/here.png");
  expect_outcome(duel("train --preset classify --out small --threads 1 --steps 2 --batch 8 --set model.filters=4 "
                      "--data synthetic --set data.synthetic_count=64 --set data.synthetic_height=16 "
                      "--set data.synthetic_width=8"),
                 0, "");
  expect_outcome(duel("evaluate --run run --extractor classifier:small"), 2,
                 "takes pictures of 16x8 pixels with 1 channels, but those to be compared have 12x12 with 1");
  expect_outcome(duel("evaluate --run small --extractor pixels"), 2,
                 "which draws no pictures; `duel classify --held-out` measures it");
}

}  // namespace
}  // namespace duel::test
