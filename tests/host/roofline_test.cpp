// The roofline of the presets, against figures worked out by hand.
#include "host/roofline.h"

#include "host/memory_plan.h"
#include "host/trainer.h"
#include "kernels/check.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <numeric>

namespace duel::test {
namespace {

Options classic(int batch, const char* precision) {
  Options options = preset("classic");
  options.precision = precision;
  options.train.batch = batch;
  options.data.source = "synthetic";
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
  EXPECT_GE(roofline.overlapped_us, roofline.gflop / 66.9 * 1e3 * 0.999);
  EXPECT_TRUE(roofline.operators.front().by_operations);  // f32 without tensor cores
  EXPECT_GT(roofline_of(classic(256, "fp32")).gflop, 3.9 * roofline.gflop);
}

TEST(Roofline, UnknownCeilingsNameTheKnown) {
  try {
    known_ceilings("h1000");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_STREQ(error.what(), "--ceilings h1000: must be measured, or one of h100, h200, a100");
  }
}

TEST(MemoryPlan, IsWhatTrainingTakesOnTheCpu) {
  const Options options = small_options();
  const Dataset dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, dataset);
  const MemoryUse planned = plan_memory_use(options, dataset, 1), taken = trainer.memory_use();
  EXPECT_EQ(planned.parameters, taken.parameters);
  EXPECT_EQ(planned.pictures, taken.pictures);
  EXPECT_EQ(planned.arena, taken.arena);
}

}  // namespace
}  // namespace duel::test
