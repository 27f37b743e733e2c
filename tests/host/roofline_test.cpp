// The roofline of the presets, against figures worked out by hand.
#include "host/bench/roofline.h"

#include "host/bench/measure_ceilings.h"
#include "host/config/configuration.h"
#include "host/train/trainer.h"
#include "host/train/training_plan.h"
#include "kernels/check.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

namespace duel::test {
namespace {

Options classic(int batch, const char* precision) {
  Options options = preset("classic");
  options.precision = precision;
  options.train.batch = batch;
  options.data.source = "synthetic";
  options.data.synthetic_count = 256;
  return options;
}

Roofline roofline_of(const Options& options, const char* ceilings = "h100") {
  return make_roofline(options, open_dataset(options.data), known_ceilings(ceilings));
}

// Products of classic at 28x28x1, in multiplications with an addition, per picture of the pass.
constexpr double kGenerator = 100 * 128 + 128 * 256 + 256 * 512 + 512 * 1024 + 1024 * 784.0;
constexpr double kConv1 = 784 * 9 * 32.0, kConv2 = 784 * 9 * 32 * 64.0, kDense = 50176 * 128 + 128.0;
constexpr double kParameters = 1506448 + 6441601.0;  // with biases

TEST(Roofline, ClassicAtBatch64) {
  const Roofline roofline = roofline_of(classic(64, "bf16"));
  // d_main: G forward on 64; D forward on 128, weight gradients, input gradients but for conv1's.
  const double d = 64 * kGenerator + 128 * (2 * kConv1 + 3 * kConv2 + 3 * kDense);
  // g_main: G and D forward on 64, D's input gradients, G's weight and input gradients but for the first layer's.
  const double g = 64 * (kGenerator * 3 - 100 * 128 + 2 * kConv1 + 2 * kConv2 + 2 * kDense);
  EXPECT_NEAR(roofline.gflop, 2 * (d + g) / 1e9, 0.15);  // the rest is element by element
  EXPECT_NEAR(roofline.gflop, 22.3, 0.3);
  // Reads w, m, v and writes them; in bf16 also the copy that products read.
  EXPECT_NEAR(roofline.optimiser_megabytes, kParameters * 26 / 1e6, 0.01);
  EXPECT_NEAR(roofline_of(classic(64, "fp32")).optimiser_megabytes, kParameters * 24 / 1e6, 0.01);
  EXPECT_NEAR(roofline_of(classic(64, "fp32")).optimiser_megabytes, 191, 0.5);
}

TEST(Roofline, FloorsAddUp) {
  const Roofline roofline = roofline_of(classic(64, "fp32"));
  const double us = std::accumulate(roofline.operators.begin(), roofline.operators.end(), 0.0,
                                    [](double sum, const OperatorFloor& op) { return sum + op.us; });
  EXPECT_NEAR(roofline.serial_us, us, 1e-9);
  EXPECT_LT(roofline.overlapped_us, roofline.serial_us);
  // In f32 the 3x3 convolutions need a quarter of their operations, and all else what it has.
  double convolutions = 0;
  for (const OperatorFloor& op : roofline.operators) {
    convolutions += op.key.op.starts_with("conv2d") ? op.gflop : 0;
  }
  EXPECT_NEAR(roofline.overlapped_us, (roofline.gflop - 0.75 * convolutions) / 66.9 * 1e3, 0.01 * roofline.serial_us);
  const auto is_by_operations = [&](const char* op) {
    return std::any_of(roofline.operators.begin(), roofline.operators.end(),
                       [&](const OperatorFloor& each) { return each.key.op == op && each.by_operations; });
  };
  EXPECT_TRUE(is_by_operations("conv2d_backward_input"));  // f32 without tensor cores
  EXPECT_FALSE(is_by_operations("adam"));
  EXPECT_GT(roofline_of(classic(256, "fp32")).gflop, 3.9 * roofline.gflop);
}

TEST(Roofline, LayersHaveRowsOfTheirOwn) {
  const Roofline roofline = roofline_of(classic(64, "bf16"));
  const auto row = [&](const std::string& op, const std::string& where) {
    return std::count_if(roofline.operators.begin(), roofline.operators.end(),
                         [&](const OperatorFloor& each) { return each.key.op == op && each.key.where == where; });
  };
  EXPECT_EQ(row("conv2d_forward", "d_main/discriminator/conv1"), 1);
  EXPECT_EQ(row("conv2d_forward", "d_main/discriminator/conv2"), 1);
  EXPECT_EQ(row("conv2d_bias_act_backward", "d_main/backward/discriminator/conv1"), 1);
  EXPECT_EQ(row("conv2d_backward_weight", "d_main/backward/discriminator/conv2"), 1);
  EXPECT_EQ(row("adam", "d_main/discriminator/update"), 1);
  int calls = 0;
  for (const OperatorFloor& op : roofline.operators) {
    calls += op.calls;
  }
  EXPECT_EQ(calls, roofline.nodes);
}

// The floor of one node of a step.
double floor_us(const Options& options, const Ceilings& ceilings, const std::string& op, const std::string& where) {
  for (const OperatorFloor& each : make_roofline(options, open_dataset(options.data), ceilings).operators) {
    if (each.key.op == op && each.key.where == where) {
      return each.us;
    }
  }
  return -1;
}

TEST(Roofline, ConvolutionsCountWhatFallsOnThePictureOrWinogradsQuarter) {
  const double direct = 2 * 128 * kConv2, inside = 82.0 * 82 / (84 * 84);  // 28 places with 3 taps, 2 beyond the edges
  const auto floor = [&](double f32, double bf16) {
    Ceilings ceilings{"", 1e9, f32, 0, bf16};
    return floor_us(classic(64, "bf16"), ceilings, "conv2d_backward_weight", "d_main/backward/discriminator/conv2");
  };
  EXPECT_NEAR(floor(1, 16), direct * inside / 16e6, 1e-3);  // products of bf16 are quick: the direct algorithm
  EXPECT_NEAR(floor(1, 2), direct / 4e6, 1e-3);             // or a quarter of them in f32
  EXPECT_NEAR(floor(0, 2), direct * inside / 2e6, 1e-3);    // whose peak is not known
}

TEST(Roofline, FiltersOfFourAtStrideTwoCountTheProductsOfTheirPhases) {
  Options options = preset("conv-steady");
  options.train.batch = 64;
  options.data.source = "synthetic";
  options.data.synthetic_count = 256;
  const auto floor = [&](const char* precision, double bf16) {
    options.precision = precision;
    Ceilings ceilings{"", 1e9, 1, 0, bf16};
    return floor_us(options, ceilings, "conv2d_forward", "d_main/discriminator/conv2");
  };
  // 14x14 to 7x7, of which 26 of 28 taps in either direction fall on the picture.
  const double direct = 2 * 128 * 49 * 16 * 32 * 64.0, inside = 26.0 * 26 / (28 * 28);
  EXPECT_NEAR(floor("fp32", 0), direct * 25 / 64 / 1e6, 1e-3);
  EXPECT_NEAR(floor("bf16", 4), direct * inside / 4e6, 1e-3);  // products of bf16 are quicker still
}

TEST(Ceilings, BytesMoveAtTheRateOfTheirWorkingSet) {
  Ceilings ceilings{"", 10, 1, 0, 0};
  EXPECT_DOUBLE_EQ(ceilings.least_us(3e6, 1e6), 300);  // memory is all that is known
  ceilings.by_size = {{1, 20}, {2, 100}, {4, 50}, {8, 10}};
  EXPECT_DOUBLE_EQ(ceilings.least_us(2e6, 2e6), 20);
  EXPECT_DOUBLE_EQ(ceilings.least_us(3.9e6, 3.9e6), 39);  // a cache may end just below the next size
  EXPECT_DOUBLE_EQ(ceilings.least_us(1e5, 1e5), 1);       // where starting took longest, the larger size counts
  EXPECT_DOUBLE_EQ(ceilings.least_us(16e6, 16e6), 960);   // half may have been left in the cache
  EXPECT_DOUBLE_EQ(ceilings.least_us(6e6, 4e6), 60);      // read and written
}

// Adam changes its arrays in place, and where they lie in a cache it does so at that cache's rate.
TEST(Ceilings, AdamsWorkingSetIsItsArraysNotItsTraffic) {
  Ceilings ceilings{"", 10, 0, 0, 0};
  const double from_memory = floor_us(classic(64, "fp32"), ceilings, "adam", "d_main/discriminator/update");
  ceilings.by_size = {{104, 100}, {208, 10}};  // 16 bytes a parameter are 103 MB
  EXPECT_NEAR(floor_us(classic(64, "fp32"), ceilings, "adam", "d_main/discriminator/update"), from_memory / 10, 1);
  EXPECT_NEAR(from_memory, 6441616 * 28 / 1e4, 10);
}

TEST(Ceilings, AreMeasuredByTypeAndBySize) {
  Context context = Context::cpu(2);
  const Ceilings ceilings = measure_ceilings(context, {std::size_t{4} << 20, 64, 0.2});
  ASSERT_EQ(ceilings.by_size.size(), 7U);  // 64 KiB to 4 MiB
  EXPECT_NEAR(ceilings.by_size.front().megabytes, 0.065536, 1e-9);
  for (const Ceilings::Bandwidth& one : ceilings.by_size) {
    EXPECT_GT(one.gigabytes_per_second, 0.01);
  }
  EXPECT_GE(ceilings.gigabytes_per_second, ceilings.by_size.back().gigabytes_per_second);
  EXPECT_GT(ceilings.f32, 0);
  EXPECT_EQ(ceilings.tf32, 0);
  EXPECT_EQ(ceilings.bf16 > 0, context.supports_bf16());
}

TEST(Roofline, UnknownCeilingsNameTheKnown) {
  try {
    known_ceilings("h1000");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_STREQ(error.what(), "--ceilings h1000: must be measured, a probe's FILE.json, or one of h100, h200, a100");
  }
}

TEST(MemoryPlan, IsWhatTrainingTakesOnTheCpu) {
  const Options options = small_options();
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, dataset);
  const MemoryUse planned = plan_training(options, dataset, false, 1).memory, taken = trainer.memory_use();
  EXPECT_EQ(planned.parameters, taken.parameters);
  EXPECT_EQ(planned.pictures, taken.pictures);
  EXPECT_EQ(planned.arena, taken.arena);
}

}  // namespace
}  // namespace duel::test
