// A folder of photographs from the report to pictures by class; a run on it that is killed and resumed.
#include "tests/support/paths.h"
#include "tests/support/photographs.h"
#include "tests/tools/command.h"

#include "host/pictures/decode.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

namespace duel::test {
namespace {

namespace fs = std::filesystem;

// Without schedules, which would depend on how many steps a run is to have.
const std::string kSmallFolder =
    "--data shop --size 8x12 --threads 2 --batch 4 --preset conv-steady --set model.filters=4 --set model.features=8 "
    "--set model.latent=8 --set output.sample_rows=2 --set output.sample_columns=2 "
    "--set loss.r1=0.1 --set loss.r2=0.1 --set optimizer.generator_learning_rate=1e-3 "
    "--set optimizer.discriminator_learning_rate=1e-3 ";

class PhotographCommand : public Command {
protected:
  void SetUp() override {
    if (!can_decode_photographs()) {
      GTEST_SKIP() << "this build has no libvips";
    }
    int seed = 0;
    for (const char* name : {"bag", "ботинок", "shirt"}) {
      fs::create_directories(folder_ / "shop" / name);
      for (int i = 0; i < 8; ++i) {
        write_png(folder_ / "shop" / name / fmt::format("{}.png", i), drawn_picture(seed++));
      }
    }
  }
};

TEST_F(PhotographCommand, WhereNothingIsSaidTheDataChooseThePreset) {
  const std::string small = "--size 8x12 --batch 4 --steps 1 --set model.filters=4 --set model.features=8 ";
  expect_outcome(duel("train --out run --data shop " + small), 0, "3 classes of ");
  EXPECT_NE(read_file(folder_ / "run/config.toml").find("preset = \"photographs\""), std::string::npos);
  expect_outcome(duel("train --out plain --data shop --preset classic --set data.labels=false " + small), 0, "classic");
  fs::copy(folder_ / "shop/bag", folder_ / "flat");  // of no classes
  expect_outcome(duel("train --out flat_run --data flat " + small), 0, "preset photographs");
  expect_outcome(duel("train --out refused --data flat --set data.labels=true " + small), 2, "needs the field label");
}

TEST_F(PhotographCommand, DataReportsAndTrainingSaysItInShort) {
  write_file(folder_ / "shop/bag/broken.jpg", "no picture");
  fs::copy_file(folder_ / "shop/bag/1.png", folder_ / "shop/bag/copy.png");
  const Outcome text = duel("data shop --size 8x12");
  expect_outcome(text, 0, "bag/broken.jpg: ");
  EXPECT_NE(text.output.find("bag/1.png = bag/copy.png"), std::string::npos) << text.output;
  EXPECT_NE(text.output.find("ботинок"), std::string::npos) << text.output;
  const Outcome json = duel("data shop --size 8x12 --json");
  ASSERT_EQ(json.exit_code, 0) << json.output;
  const auto found = nlohmann::json::parse(json.output);
  EXPECT_EQ(found["picture"], (nlohmann::json{12, 8, 3}));
  EXPECT_EQ(found["classes"].size(), 3U);
  EXPECT_EQ(found["files"]["skipped"][0]["file"], "bag/broken.jpg");
  EXPECT_EQ(found["train"].get<int>() + found["held_out"].get<int>(), 25);
  const Outcome trained = duel("train --out run --steps 1 " + kSmallFolder);
  expect_outcome(trained, 0, "8x12 in colour, 3 classes of ");
  EXPECT_NE(trained.output.find("1 file is skipped"), std::string::npos) << trained.output;
  expect_outcome(duel("data fashion-mnist --size 30x30"), 2, "only photographs are brought to another size");
  expect_outcome(duel("data shop --size 8"), 2, "WxH");
}

TEST_F(PhotographCommand, AKilledRunResumesToTheSameBytesAndDrawsByClass) {
  ASSERT_EQ(duel("train --out whole --steps 9 " + kSmallFolder).exit_code, 0);
  // Killed when it has a checkpoint, wherever it is by then; the cache goes too, and comes back the same.
  ASSERT_EQ(duel("train --out parts --set output.checkpoint_every=2 --steps 3 " + kSmallFolder).exit_code, 0);
  const std::string killed = fmt::format(
      "cd '{0}' && {{ XDG_CACHE_HOME='{0}/cache' '{1}' train --out parts --resume --steps 100000 "
      "--set output.keep_last=0 > killed.txt 2>&1 & pid=$!; while kill -0 $pid 2>/dev/null && ! test -d "
      "parts/checkpoints/step_000000008; do sleep 0.01; done; kill -9 $pid; wait $pid; }} 2>/dev/null",
      folder_.path().string(), command_path());
  ASSERT_EQ(WEXITSTATUS(std::system(killed.c_str())), 137) << read_file(folder_ / "killed.txt");
  ASSERT_TRUE(fs::exists(folder_ / "parts/checkpoints/step_000000008"));
  fs::remove_all(folder_ / "cache");
  const Outcome resumed = duel("train --out parts --resume --step 8 --steps 9");
  expect_outcome(resumed, 0, "resumed at step 8");
  for (const char* name : {"checkpoints/step_000000009/state.safetensors", "samples/step_000000009.png"}) {
    EXPECT_EQ(read_file(folder_ / "whole" / name), read_file(folder_ / "parts" / name)) << name;
  }
  expect_outcome(duel("generate --run parts --class БОТИНОК --count 2 --out boots"), 2, "ботинок");
  expect_outcome(duel("generate --run parts --class ботинок --count 2 --out boots"), 0, "");
  EXPECT_TRUE(fs::exists(folder_ / "boots/0000001.png"));
  write_png(folder_ / "shop/bag/0.png", drawn_picture(90));
  expect_outcome(duel("train --out parts --resume --steps 12"), 3, "crc32c");
}

TEST_F(PhotographCommand, FewPicturesAndEmptyFoldersAreRefusedInOneSentence) {
  fs::create_directories(folder_ / "empty");
  expect_outcome(duel("train --out run --data empty"), 3, "holds no photograph (JPEG, PNG, WebP or TIFF");
  fs::create_directories(folder_ / "one");
  fs::copy_file(folder_ / "shop/bag/0.png", folder_ / "one/a.png");
  expect_outcome(duel("data one"), 0, "1 picture to train on are few");
  expect_outcome(duel("train --out run --data one --batch 4 --set data.labels=false"), 3, "has only 1 pictures");
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

}  // namespace
}  // namespace duel::test
