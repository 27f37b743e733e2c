// `duel tryon`: a garment laid on a person by the networks of a run, and what is refused.
#include "host/pictures/decode.h"
#include "host/pictures/png.h"
#include "tests/support/photographs.h"
#include "tests/support/tryon_set.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace duel::test {
namespace {

using Json = nlohmann::json;

const std::string kPerson = " --person set/test/person/20.png", kBody = " --body set/test/body/20.png",
                  kGarment = " --garment set/test/garment/21.png";

class TryonCommand : public Command {
protected:
  void SetUp() override {
    if (!can_decode_photographs()) {
      GTEST_SKIP() << "this build has no libvips";
    }
    draw_tryon_set(folder_ / "set", 4, 2);
    const Outcome trained = duel(
        "train --preset tryon --data set --size 32x32 --out run --threads 2 --batch 2 --steps 2 --set model.filters=4 "
        "--set output.sample_rows=1 --set output.sample_columns=3");
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
  }
};

TEST_F(TryonCommand, WritesThePersonInTheGarment) {
  expect_outcome(duel("tryon --run run --out worn.png" + kPerson + kBody + kGarment), 0,
                 "worn.png: 32x32 pixels, synthetic try-on by step 2");
  const Picture made = read_png(folder_ / "worn.png");
  EXPECT_TRUE(made.height == kTryonSide && made.width == kTryonSide && made.channels == 3);
  ASSERT_EQ(duel("tryon --run run --step 2 --out same.png" + kPerson + kBody + kGarment).exit_code, 0);
  EXPECT_EQ(read_png(folder_ / "same.png").pixels, made.pixels);
  ASSERT_EQ(duel("tryon --run run --out other.png --garment set/test/garment/20.png" + kPerson + kBody).exit_code, 0);
  EXPECT_NE(read_png(folder_ / "other.png").pixels, made.pixels);
}

TEST_F(TryonCommand, IsMeasuredOnWhatIsHeldOut) {
  // What the training logged last is of the same weights.
  std::ifstream log(folder_ / "run/metrics.jsonl");
  Json row, last;
  for (std::string line; std::getline(log, line);) {
    row = Json::parse(line);
    last = row.contains("held_out_ssim") ? row : last;
  }
  const Outcome measured = duel("evaluate --run run --json");
  ASSERT_EQ(measured.exit_code, 0) << measured.output;
  const Json found = Json::parse(measured.output);
  EXPECT_EQ(found["step"], 2);
  EXPECT_EQ(found["pictures"], 2);
  for (const char* figure : {"ssim", "l1", "flow_error"}) {
    EXPECT_NEAR(found["figures"][figure].get<double>(), last[std::string("held_out_") + figure].get<double>(), 1e-5)
        << figure;
  }
  expect_outcome(duel("evaluate --run run"), 0, "run, step 2: 2 pictures of");
  expect_outcome(duel("evaluate --run run --by-class"), 2, "makes pictures of pictures");
  draw_tryon_set(folder_ / "other", 2, 3);
  expect_outcome(duel("evaluate --run run --data other"), 0, "3 pictures of");
  expect_outcome(duel("evaluate --run run --data synthetic --size auto"), 2,
                 "by which a run of the recipe tryon is measured");
}

TEST_F(TryonCommand, RefusesWhatItCannotTryOn) {
  const auto refuses = [&](const std::string& arguments, const std::string& why) {
    const Outcome refused = duel("tryon --run run " + arguments);
    expect_outcome(refused, 2, why);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "worn.png")) << arguments;
  };
  const std::string out = " --out worn.png";
  refuses("--person set/test/garment/20.png --garment set/test/person/20.png" + kBody + out, "are swapped");
  refuses("--garment set/test/picture/20.png" + kPerson + kBody + out, "is opaque everywhere");
  refuses("--body set/test/person/20.png" + kPerson + kGarment + out, "is no map of a body");
  refuses("--out worn.jpg" + kPerson + kBody + kGarment, "must end in .png");
  write_png(folder_ / "small.png", drawn_picture(1, 16, 32));
  refuses("--person small.png" + kBody + kGarment + out, "small.png: is 32x16, but the run was trained on");
  ASSERT_EQ(duel("train --out gan " + kSmall + "--steps 1").exit_code, 0);
  expect_outcome(duel("tryon --run gan" + out + kPerson + kBody + kGarment), 2, "is a run of the recipe gan");
}

}  // namespace
}  // namespace duel::test
