// Try-on: how a flow moves pictures and what it costs, the set that is read, what the recipe learns, how it is
// measured, and what is refused.
#include "host/recipes/tryon.h"

#include "engine/models/tryon.h"
#include "engine/nn/flow.h"
#include "host/data/tryon_source.h"
#include "host/pictures/decode.h"
#include "host/recipes/tryon_truth.h"
#include "host/sample/held_out.h"
#include "host/train/trainer.h"
#include "host/train/training_plan.h"
#include "tests/support/photographs.h"
#include "tests/support/small_program.h"
#include "tests/support/small_run.h"
#include "tests/support/train_steps.h"
#include "tests/support/trained_state.h"
#include "tests/support/tryon_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

namespace duel::test {
namespace {

TEST(Flow, MovesAPictureByPixels) {
  for (const int width : {5, 6, 8}) {
    SmallProgram small;
    const Value x = small.input({2, 3, width, 2}), flow = small.input({2, 3, width, 2});
    for (int pixel = 0; pixel < 2 * 3 * width; ++pixel) {
      small.data(1)[2 * pixel] = 1;       // to the right
      small.data(1)[2 * pixel + 1] = -1;  // up
    }
    const Value moved = warp_by_flow(small.program, x, flow);
    small.program.keep(moved);
    small.finish();
    small.run();
    const std::vector<float> made = small.read(moved);
    for (int n = 0; n < 2; ++n) {
      for (int row = 0; row < 3; ++row) {
        for (int column = 0; column < width; ++column) {
          for (int c = 0; c < 2; ++c) {
            const auto at = [&](int r, int q) { return ((n * 3 + r) * width + q) * 2 + c; };
            const bool is_in = row > 0 && column + 1 < width;
            EXPECT_NEAR(made[static_cast<std::size_t>(at(row, column))],
                        is_in ? small.data(0)[at(row - 1, column + 1)] : 0.0F, 1e-5)
                << width << " " << row << " " << column;
          }
        }
      }
    }
  }
}

TEST(Flow, IsTheSameOfAPictureOfTwiceTheSize) {
  SmallProgram small;
  const Value flow = small.input({1, 3, 4, 2});
  for (int pixel = 0; pixel < 12; ++pixel) {
    small.data(0)[2 * pixel] = 0.5F * static_cast<float>(pixel % 4);
    small.data(0)[2 * pixel + 1] = -2;
  }
  const Value large = enlarge_flow(small.program, flow);
  small.program.keep(large);
  small.finish();
  small.run();
  const std::vector<float> made = small.read(large);
  ASSERT_EQ(made.size(), 6U * 8U * 2U);
  for (std::size_t pixel = 0; pixel < 48; ++pixel) {
    // The middle of a fine pixel lies a quarter off a coarse one's; beyond the last one nothing changes.
    const float column = std::clamp((static_cast<float>(pixel % 8) + 0.5F) / 2 - 0.5F, 0.0F, 3.0F);
    EXPECT_NEAR(made[2 * pixel], 2 * 0.5F * column, 1e-5) << pixel;
    EXPECT_NEAR(made[2 * pixel + 1], -4, 1e-5) << pixel;
  }
}

TEST(Flow, IsChargedForBends) {
  SmallProgram small;
  const Value flow = small.input({2, 4, 5, 2});
  const Value curvature = flow_curvature(small.program, flow);
  small.program.keep(curvature);
  small.finish();
  const auto fill = [&](const auto& value) {
    for (int i = 0; i < 2 * 4 * 5 * 2; ++i) {
      small.data(0)[i] = static_cast<float>(value(i / 10 % 4, i / 2 % 5, i % 2));
    }
    small.run();
  };
  const double least = std::pow(1e-6, 0.45);
  fill([](int row, int column, int c) { return 3.0 * row - 2.0 * column + c; });
  EXPECT_NEAR(small.read(curvature)[0], least, 1e-4);
  // A second difference of 2 along the rows and both diagonals, none down.
  fill([](int, int column, int) { return static_cast<double>(column * column); });
  EXPECT_NEAR(small.read(curvature)[0], (3 * std::pow(4.0, 0.45) + least) / 4, 1e-4);
}

TEST(Flow, StartsAtZeroAtEveryLevel) {
  SmallProgram small;
  Parameters parameters("flow");
  const TryonFlow network(parameters, {kTryonSide, kTryonSide, 4});
  parameters.allocate(small.context(), {});
  parameters.initialize(small.context(), 1, 0);
  const Value garment = small.input({2, kTryonSide, kTryonSide, 4}),
              person = small.input({2, kTryonSide, kTryonSide, 6});
  small.place(parameters);
  const BoundParameters weights(small.program, parameters, Parameters::Block::master, false);
  const std::vector<Value> flows = network(small.program, weights, garment, person);
  ASSERT_EQ(flows.size(), 4U);  // the start and three levels, the last enlarged by four
  for (const Value flow : flows) {
    small.program.keep(flow);
  }
  small.finish();
  small.run();
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const std::vector<float> values = small.read(flows[i]);
    const int side = kTryonSide / (i < 2 ? 8 : i == 2 ? 4 : 1);
    EXPECT_EQ(values.size(), static_cast<std::size_t>(2 * side * side * 2));
    EXPECT_TRUE(std::all_of(values.begin(), values.end(), [](float value) { return value == 0; }));
  }
}

// Every value of every byte, against the set's own reading of them.
TEST(TrueFlow, IsWhatTheBytesSay) {
  constexpr int kHeight = 16, kWidth = 48;
  SmallProgram small;
  const Value coded = small.input({1, kHeight, kWidth, 3});
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < kHeight * kWidth * 3; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i % 3 == 2 ? i / 3 % 256 : i * 89 % 256));
    small.data(0)[i] = static_cast<float>(bytes.back()) / 127.5F - 1.0F;
  }
  const Value flow = true_flow(small.program, coded);
  small.program.keep(flow);
  small.finish();
  small.run();
  const std::vector<float> made = small.read(flow);
  ASSERT_EQ(made.size(), static_cast<std::size_t>(2 * kHeight * kWidth));
  for (std::size_t i = 0; i < static_cast<std::size_t>(kHeight * kWidth); ++i) {
    const auto [column, line] = flow_place(std::span(bytes).subspan(3 * i, 3));
    EXPECT_NEAR(made[2 * i], column * kWidth - static_cast<double>(i % kWidth) - 0.5, 1e-3) << i;
    EXPECT_NEAR(made[2 * i + 1], line * kHeight - static_cast<double>(i / kWidth) - 0.5, 1e-3) << i;
  }
}

class TryonSet : public Photographs {
protected:
  void SetUp() override {
    if (!can_decode_photographs()) {
      GTEST_SKIP() << "this build has no libvips";
    }
    draw_tryon_set(shop_, 8, 3);
  }

  Options tryon_options() const {
    Options options = small_options("tryon");
    options.data.source = shop_.string();
    options.data.size = "32x32";
    options.model.filters = 4;
    options.train.batch = 4;
    options.train.steps = 60;
    options.optimizer.learning_rate = 2e-3;
    return options;
  }
};

TEST_F(TryonSet, HasItsFieldsAsTheyWereWritten) {
  const Data data = open_dataset(tryon_options().data);
  const Source& source = main_source(data);
  EXPECT_EQ(source.count(), 16);  // each twice, the second time mirrored
  EXPECT_EQ(picture_shape(source), (Shape{1, kTryonSide, kTryonSide, 3}));
  std::vector<std::uint8_t> garment(kTryonSide * kTryonSide * 4), flow(kTryonSide * kTryonSide * 3);
  source.read(3, field_index(source, "garment"), std::as_writable_bytes(std::span(garment)).data());
  source.read(3, field_index(source, "flow"), std::as_writable_bytes(std::span(flow)).data());
  const Picture file = read_png(shop_ / "train/garment/3.png", Transparency::kept);
  for (std::size_t pixel = 0; pixel < garment.size() / 4; ++pixel) {
    ASSERT_EQ(garment[4 * pixel + 3], file.pixels[4 * pixel + 3]);
    if (garment[4 * pixel + 3] > 0) {
      ASSERT_TRUE(std::equal(garment.begin() + static_cast<std::ptrdiff_t>(4 * pixel),
                             garment.begin() + static_cast<std::ptrdiff_t>(4 * pixel + 4),
                             file.pixels.begin() + static_cast<std::ptrdiff_t>(4 * pixel)));
    }
  }
  for (const int pixel : {0, 5, 40, 1000}) {
    const auto [column, row] = flow_place(std::span(flow).subspan(static_cast<std::size_t>(3 * pixel), 3));
    EXPECT_NEAR(column * kTryonSide, pixel % kTryonSide + 0.5 - kTryonRight, 0.01);
    EXPECT_NEAR(row * kTryonSide, pixel / kTryonSide + 0.5 - kTryonDown, 0.01);
  }
  const auto held_out = open_held_out(tryon_options().data, source);
  ASSERT_NE(held_out, nullptr);
  EXPECT_EQ(held_out->count(), 3);
  EXPECT_NE(held_out->fingerprint(), source.fingerprint());
}

TEST_F(TryonSet, IsMirroredInItsSecondHalf) {
  // Arms on nothing, on the torso and on the head, wholly and by a half, and an edge between head and torso.
  struct Pixel {
    int red, green, blue;
  };
  constexpr Pixel kLeft[] = {{255, 255, 0}, {255, 0, 255}, {100, 100, 0}, {150, 255, 0}, {60, 0, 255},
                             {255, 80, 0},  {0, 255, 0},   {255, 0, 0},   {0, 0, 255},   {90, 165, 0}};
  constexpr Pixel kSwapped[] = {{255, 0, 255}, {255, 255, 0}, {100, 0, 100}, {150, 105, 150}, {60, 60, 195},
                                {255, 0, 80},  {0, 255, 0},   {255, 0, 0},   {0, 0, 255},     {90, 165, 0}};
  Picture body{kTryonSide, kTryonSide, 3, std::vector<std::uint8_t>(kTryonSide * kTryonSide * 3)};
  for (std::size_t i = 0; i < std::size(kLeft); ++i) {
    body.pixels[3 * i] = static_cast<std::uint8_t>(kLeft[i].red);
    body.pixels[3 * i + 1] = static_cast<std::uint8_t>(kLeft[i].green);
    body.pixels[3 * i + 2] = static_cast<std::uint8_t>(kLeft[i].blue);
  }
  write_png(shop_ / "train/body/3.png", body);

  const Data data = open_dataset(tryon_options().data);
  const Source& source = main_source(data);
  const auto read = [&](std::int64_t row, const char* name) {
    const std::size_t field = field_index(source, name);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(source.fields()[field].shape.count()));
    source.read(row, field, std::as_writable_bytes(std::span(pixels)).data());
    return pixels;
  };
  for (const auto& [name, channels] : {std::pair{"garment", 4}, std::pair{"picture", 3}, std::pair{"worn", 1}}) {
    const std::vector<std::uint8_t> seen = read(3, name), mirrored = read(8 + 3, name);
    const auto size = static_cast<std::size_t>(channels);
    for (std::size_t pixel = 0; pixel < seen.size() / size; ++pixel) {
      const std::size_t column = pixel % kTryonSide, other = pixel - column + (kTryonSide - 1 - column);
      for (std::size_t c = 0; c < size; ++c) {
        ASSERT_EQ(mirrored[size * pixel + c], seen[size * other + c]) << name << " " << pixel;
      }
    }
  }
  const std::vector<std::uint8_t> mirrored = read(8 + 3, "body");
  for (std::size_t i = 0; i < std::size(kSwapped); ++i) {
    const std::uint8_t* pixel = mirrored.data() + 3 * (kTryonSide - 1 - i);
    EXPECT_EQ(pixel[0], kSwapped[i].red) << i;
    EXPECT_EQ(pixel[1], kSwapped[i].green) << i;
    EXPECT_EQ(pixel[2], kSwapped[i].blue) << i;
  }
  const std::vector<std::uint8_t> flow = read(8 + 3, "flow");
  for (const int pixel : {0, 5, 40, 1000}) {
    const auto [column, row] = flow_place(std::span(flow).subspan(static_cast<std::size_t>(3 * pixel), 3));
    EXPECT_NEAR(column * kTryonSide, pixel % kTryonSide + 0.5 + kTryonRight, 0.01);
    EXPECT_NEAR(row * kTryonSide, pixel / kTryonSide + 0.5 - kTryonDown, 0.01);
  }
}

TEST_F(TryonSet, IsRefusedWhereItIsNotWhole) {
  Options options = tryon_options();
  options.data.size = "64x32";
  EXPECT_ERROR(open_dataset(options.data), Error::Kind::usage, "give --size 32x32");
  options.data.size = "32x32";
  std::filesystem::remove(shop_ / "train/worn/2.png");
  EXPECT_ERROR(open_dataset(options.data), Error::Kind::data, "train/worn: has no 2.png");
  draw("train/worn/2.png", drawn_picture(1, kTryonSide, kTryonSide, 1));
  draw("train/worn/9.png", drawn_picture(1, kTryonSide, kTryonSide, 1));
  EXPECT_ERROR(open_dataset(options.data), Error::Kind::data, "train/picture: has no 9.png");
  std::filesystem::remove_all(shop_ / "train/worn");
  EXPECT_ERROR(open_dataset(options.data), Error::Kind::data, "train/worn: there is no such folder");
}

TEST_F(TryonSet, TheRecipeLearnsTheFlowAndResumesByteForByte) {
  const Options options = tryon_options();
  const Data data = open_dataset(options.data);
  Context context = Context::cpu(2);
  const auto held_out = open_held_out(options.data, main_source(data));
  Trainer whole(context, options, data);
  const auto error = [&] {
    HeldOut measured(context, *whole.recipe().held_out(), *held_out, whole.networks(), whole.memory().storage(),
                     Parameters::Block::master, 1);
    return measured.measure(context).numbers;
  };
  const std::vector<NamedNumber> before = error();
  ASSERT_EQ(before[2].first, "held_out_flow_error");
  EXPECT_NEAR(before[2].second, std::hypot(kTryonRight, kTryonDown), 0.02);  // the flow starts at zero
  train(whole, 1);
  const float first_loss = metric(whole, "loss"), first_warp = metric(whole, "warp");
  EXPECT_NEAR(first_loss, first_warp + metric(whole, "picture"), 1e-4);
  train(whole, 59);
  EXPECT_LT(metric(whole, "warp"), 0.8F * first_warp);
  EXPECT_LT(metric(whole, "loss"), 0.7F * first_loss);
  const std::vector<NamedNumber> after = error();
  EXPECT_GT(after[0].second, before[0].second + 0.1);
  EXPECT_LT(after[1].second, 0.6 * before[1].second);
  EXPECT_LT(after[2].second, 0.7 * before[2].second);

  Trainer begun(context, options, data), resumed(context, options, data);
  train(begun, 3);
  const TemporaryFolder folder;
  begun.save(folder.path());
  resumed.load(folder.path());
  train(begun, 2);
  train(resumed, 2);
  EXPECT_EQ(state_of(begun), state_of(resumed));
}

TEST_F(TryonSet, ItsStepIsRecordedInBf16Too) {
  Options options = tryon_options();
  options.precision = "bf16";
  const Data data = open_dataset(options.data);
  EXPECT_EQ(plan_training(options, data, false, 1).step.phases.size(), 1U);
}

TEST_F(TryonSet, TheRecipeRefusesOtherData) {
  Options options = tryon_options();
  const Fields set = {{"main", main_source(open_dataset(options.data)).fields()}};
  EXPECT_NO_THROW(make_tryon(options, set, 10));
  options.model.filters = 3;
  EXPECT_ERROR(make_tryon(options, set, 10), Error::Kind::usage, "3 filters must be an even number");
  options.model.filters = 4;
  options.data.labels = true;
  EXPECT_ERROR(make_tryon(options, set, 10), Error::Kind::usage, "data.labels must be false");
  options.data.labels = false;
  const Fields other = {{"main", {picture_field("picture", kTryonSide, kTryonSide, 3)}}};
  EXPECT_ERROR(make_tryon(options, other, 10), Error::Kind::usage, "tools/make_tryon.py");
  Fields narrow = set;
  for (Field& field : narrow["main"]) {
    field.shape = {1, 40, kTryonSide, field.shape[3]};
  }
  EXPECT_ERROR(make_tryon(options, narrow, 10), Error::Kind::usage, "pictures are 32x40");
}

}  // namespace
}  // namespace duel::test
