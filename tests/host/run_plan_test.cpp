// A run that is planned: by a few steps where it is small, without any memory where it is not.
#include "host/train/training_run.h"

#include "tests/support/small_run.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

TEST(RunPlan, ASmallRunIsTimed) {
  const RunPlan plan = plan_run({small_options(), "", false});
  ASSERT_TRUE(plan.seconds_a_step.has_value());
  EXPECT_GT(*plan.seconds_a_step, 0);
  EXPECT_EQ(plan.steps, 40);
}

// It would take 18 GB, and a minute for each step.
TEST(RunPlan, ALargeRunIsPlannedAlone) {
  Options options = small_options();
  options.model.generator_widths = {30000, 30000};
  options.schedule.memory = "ignore";
  const RunPlan plan = plan_run({options, "", false});
  EXPECT_FALSE(plan.seconds_a_step.has_value());
  const std::size_t generator = 5 * 30000 + 30000 + std::size_t{30000} * 30000 + 30000 + 30000 * 48 + 48;
  EXPECT_GE(plan.memory.parameters, 5 * sizeof(float) * generator);  // weights, gradient, two moments, average
  EXPECT_LE(plan.memory.parameters, 5 * sizeof(float) * generator + (1 << 20));
  EXPECT_GT(plan.memory.arena, 0U);
  EXPECT_EQ(plan.networks[0].parameter_count, static_cast<std::int64_t>(generator));
  EXPECT_EQ(plan.steps, 40);
}

TEST(RunPlan, NothingIsTakenOfALargeNetwork) {
  Options options = small_options();
  options.model.generator_widths = {30000, 30000};
  const Data data = small_dataset(options);
  EXPECT_EQ(plan_training(options, data, false, 1).networks.allocated_bytes(), 0U);
}

}  // namespace
}  // namespace duel::test
