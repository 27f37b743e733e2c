// The functions of libduel, linked statically: the bytes of `duel generate`, and what they refuse.
#include "host/library/duel.h"

#include "host/pictures/picture_folder.h"
#include "host/pictures/png.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

namespace duel::test {
namespace {

using Pixels = std::vector<std::uint8_t>;

const std::string kByClass =
    "--set model.networks=conv-steady --set data.labels=true --set model.filters=2 --set data.synthetic_channels=3 "
    "--set data.synthetic_width=12 --set data.synthetic_height=8 --set model.features=4 ";

class Library : public Command {
protected:
  ~Library() override { duel_close(run_); }

  // Of the run in the folder `run`; on two threads, as `duel generate --threads 2` draws.
  duel_status open(std::int64_t step = DUEL_LATEST, int weights = DUEL_AVERAGED, const char* device = "cpu",
                   int threads = 2) {
    duel_close(run_);
    return duel_open((folder_ / "run").c_str(), step, weights, device, threads, &run_);
  }

  std::size_t size() const {
    return static_cast<std::size_t>(duel_height(run_)) * static_cast<std::size_t>(duel_width(run_)) *
           static_cast<std::size_t>(duel_channels(run_));
  }

  Pixels draw(int class_number, std::uint64_t seed, std::int64_t first, int count) {
    Pixels pixels(static_cast<std::size_t>(count) * size() + 1, 77);
    EXPECT_EQ(duel_draw(run_, class_number, seed, first, count, pixels.data(), pixels.size()), DUEL_DONE)
        << duel_last_error();
    EXPECT_EQ(pixels.back(), 77);  // beyond the pictures
    pixels.pop_back();
    return pixels;
  }

  // The same pictures as the command line draws them.
  Pixels generated(int count, const std::string& arguments) {
    expect_outcome(duel(fmt::format("generate --run run --device cpu --threads 2 --out out --clear --count {} {}",
                                    count, arguments)),
                   0, "");
    Pixels pixels;
    for (int i = 0; i < count; ++i) {
      const Picture picture = read_png(folder_ / "out" / picture_name(static_cast<std::size_t>(i)));
      pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
    }
    return pixels;
  }

  void expect_refusal(duel_status status, duel_status expected, const std::string& part) {
    EXPECT_EQ(status, expected);
    EXPECT_NE(std::string(duel_last_error()).find(part), std::string::npos) << duel_last_error();
  }

  duel_run* run_ = nullptr;
};

TEST_F(Library, DrawsWhatGenerateDraws) {
  ASSERT_EQ(train("--steps 4 --set output.checkpoint_every=2 " + kByClass).exit_code, 0);
  ASSERT_EQ(open(), DUEL_DONE) << duel_last_error();
  EXPECT_EQ(duel_step(run_), 4);
  EXPECT_EQ(duel_width(run_), 12);
  EXPECT_EQ(duel_height(run_), 8);
  EXPECT_EQ(duel_channels(run_), 3);
  EXPECT_STREQ(duel_preset(run_), "conv-steady");
  ASSERT_EQ(duel_class_count(run_), 8);
  ASSERT_STREQ(duel_class_name(run_, 7), "Bottle");
  EXPECT_EQ(duel_class_name(run_, 8), nullptr);
  EXPECT_EQ(duel_class_name(run_, -1), nullptr);

  const Pixels all = draw(DUEL_ANY_CLASS, 5, 0, 70);  // more than a batch
  EXPECT_EQ(all, generated(70, "--seed 5"));
  const auto at = [&](int i) { return all.begin() + static_cast<std::ptrdiff_t>(i * size()); };
  EXPECT_EQ(draw(DUEL_ANY_CLASS, 5, 61, 8), Pixels(at(61), at(69)));
  const Pixels bottles = draw(7, 5, 0, 9);
  EXPECT_EQ(bottles, generated(9, "--seed 5 --class bottle"));
  EXPECT_NE(bottles, Pixels(at(0), at(9)));
  EXPECT_NE(draw(7, 6, 0, 9), bottles);
  EXPECT_EQ(draw(7, 5, 0, 9), bottles);  // another seed between does not matter

  ASSERT_EQ(open(2, DUEL_RAW), DUEL_DONE) << duel_last_error();
  EXPECT_EQ(duel_step(run_), 2);
  EXPECT_EQ(draw(0, 1, 0, 3), generated(3, "--seed 1 --step 2 --raw --class box"));
}

TEST_F(Library, RunsOfSeveralThreadsDoNotKnowOfEachOther) {
  ASSERT_EQ(train("--steps 2 ").exit_code, 0);
  const Pixels expected = generated(64, "--seed 3");
  Pixels drawn[2];
  const std::string path = (folder_ / "run").string();
  const auto work = [&](Pixels& pixels) {
    duel_run* run = nullptr;
    pixels.resize(expected.size());
    if (duel_open(path.c_str(), DUEL_LATEST, DUEL_AVERAGED, "cpu", 2, &run) == DUEL_DONE) {
      duel_draw(run, DUEL_ANY_CLASS, 3, 0, 64, pixels.data(), pixels.size());
    }
    duel_close(run);
    EXPECT_STREQ(duel_last_error(), "");
  };
  std::thread other(work, std::ref(drawn[0]));
  std::thread another(work, std::ref(drawn[1]));
  other.join();
  another.join();
  EXPECT_EQ(drawn[0], expected);
  EXPECT_EQ(drawn[1], expected);
}

TEST_F(Library, RefusesWhatCannotBeMeant) {
  expect_refusal(open(), DUEL_DATA, "run");
  EXPECT_EQ(run_, nullptr);
  ASSERT_EQ(train("--steps 2 ").exit_code, 0);
  expect_refusal(open(1), DUEL_DATA, "there is no checkpoint of step 1 (there are: 2)");
  expect_refusal(open(-2), DUEL_USAGE, "duel_open: step is -2");
  expect_refusal(open(2, 3), DUEL_USAGE, "duel_open: weights is 3");
  expect_refusal(open(2, DUEL_RAW, "gpu"), DUEL_USAGE, "duel_open: device \"gpu\": must be auto, cpu, cuda or cuda:N");
  expect_refusal(open(2, DUEL_RAW, "cpu", -1), DUEL_USAGE, "duel_open: threads -1: must be an integer from 0 to 4096");
  EXPECT_EQ(run_, nullptr);
  expect_refusal(duel_open(nullptr, 2, DUEL_RAW, nullptr, 0, &run_), DUEL_USAGE, "duel_open: folder is NULL");
  expect_refusal(duel_open("run", 2, DUEL_RAW, nullptr, 0, nullptr), DUEL_USAGE, "duel_open: run is NULL");
  std::filesystem::resize_file(folder_ / "run/checkpoints/step_000000002/state.safetensors", 100);
  expect_refusal(open(), DUEL_DATA, "state.safetensors");

  EXPECT_EQ(duel_width(nullptr) + duel_height(nullptr) + duel_channels(nullptr) + duel_class_count(nullptr), 0);
  EXPECT_EQ(duel_step(nullptr), 0);
  EXPECT_EQ(duel_preset(nullptr), nullptr);
  EXPECT_EQ(duel_class_name(nullptr, 0), nullptr);
  duel_close(nullptr);
}

TEST_F(Library, RefusesWhatCannotBeDrawn) {
  ASSERT_EQ(train("--steps 2 " + kByClass).exit_code, 0);
  ASSERT_EQ(open(), DUEL_DONE) << duel_last_error();
  Pixels pixels(2 * size());
  const auto attempt = [&](int class_number, std::int64_t first, int count) {
    return duel_draw(run_, class_number, 1, first, count, pixels.data(), pixels.size());
  };
  expect_refusal(attempt(8, 0, 2), DUEL_USAGE, "which has 0 to 7, or DUEL_ANY_CLASS");
  expect_refusal(attempt(-2, 0, 2), DUEL_USAGE, "duel_draw: class -2 is none of");
  expect_refusal(attempt(0, 0, 0), DUEL_USAGE, "duel_draw: count is 0");
  expect_refusal(attempt(0, 0, -1), DUEL_USAGE, "duel_draw: count is -1");
  expect_refusal(attempt(0, -1, 1), DUEL_USAGE, "duel_draw: first is -1");
  expect_refusal(attempt(0, std::numeric_limits<std::int64_t>::max(), 1), DUEL_USAGE, "duel_draw: first is 9223");
  expect_refusal(attempt(0, 0, 3), DUEL_USAGE, "3 pictures of 288 bytes need room for 864 bytes, and there are 576");
  expect_refusal(duel_draw(nullptr, 0, 1, 0, 2, pixels.data(), pixels.size()), DUEL_USAGE, "duel_draw: run is NULL");
  expect_refusal(duel_draw(run_, 0, 1, 0, 2, nullptr, pixels.size()), DUEL_USAGE, "duel_draw: pixels is NULL");
  EXPECT_EQ(pixels, Pixels(2 * size()));
  EXPECT_EQ(attempt(7, 999'999'999'998, 2), DUEL_DONE) << duel_last_error();
  EXPECT_NE(pixels, Pixels(2 * size()));
}

TEST_F(Library, OfARunWithoutClassesAnyIsTheOnlyOne) {
  ASSERT_EQ(train("--steps 2 ").exit_code, 0);
  ASSERT_EQ(open(DUEL_LATEST, DUEL_AVERAGED, nullptr), DUEL_DONE) << duel_last_error();
  EXPECT_EQ(duel_class_count(run_), 0);
  Pixels pixels(size());
  expect_refusal(duel_draw(run_, 0, 1, 0, 1, pixels.data(), pixels.size()), DUEL_USAGE,
                 "which was trained without classes; give DUEL_ANY_CLASS");
  EXPECT_EQ(draw(DUEL_ANY_CLASS, 1, 0, 1).size(), 80U);
}

TEST_F(Library, AClassifierDrawsNothing) {
  ASSERT_EQ(duel("train --preset classify --data synthetic --out run --steps 1 --batch 8 --threads 2 "
                 "--set data.synthetic_count=64 --set data.synthetic_height=8 --set data.synthetic_width=8 "
                 "--set model.filters=2")
                .exit_code,
            0);
  expect_refusal(open(), DUEL_USAGE, "is a run of the recipe classify, which draws no pictures");
}

}  // namespace
}  // namespace duel::test
