// Schedules against their closed forms, at both ends and beyond; update clocks against a simulation.
#include "kernels/schedule.h"

#include "kernels/check.h"
#include "kernels/optimizer.h"
#include "kernels/update_clock.h"
#include "tests/reference/scale_scheduled.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace duel::test {

namespace {

constexpr std::int64_t kFar = std::int64_t{1} << 40;

TEST(ScheduleTest, AConstantIsExactlyItself) {
  for (const double value : {0.0, 1e-4, 0.1, 0.999, -3.7, 1e300}) {
    for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, kFar}) {
      EXPECT_EQ(value_at(value, step), value);
    }
  }
}

TEST(ScheduleTest, FollowsItsClosedForm) {
  const Schedule schedules[] = {Schedule::linear(5e-4, 1e-4, 0, 7000),
                                Schedule::linear(-1, 3, 100, 101),
                                Schedule::linear(0, 1, 5, kFar),
                                Schedule::cosine(5e-4, 1e-4, 0, 7100),
                                Schedule::cosine(0, 1, 1000, 2000),
                                Schedule::exponential(0.5, 0.1, 0, 7100),
                                Schedule::exponential(1e-30, 1e30, 3, 1000),
                                Schedule::exponential(-2, -1e-9, 0, 77),
                                Schedule::half_life(64, 5000),
                                Schedule::half_life(64, 5000, 10),
                                Schedule(0.998).with_burn_in(10),
                                Schedule(3.0).with_warm_up(1000),
                                Schedule::cosine(1, 0, 500, 2000).with_warm_up(500),
                                Schedule::linear(0.9, 0.99, 0, 900).with_burn_in(3).with_warm_up(2)};
  for (const Schedule& schedule : schedules) {
    for (std::int64_t step = 0; step < 8000; step += step < 20 ? 1 : 13) {
      const double expected = reference::schedule_value(schedule, step);
      EXPECT_NEAR(value_at(schedule, step), expected,
                  1e-14 * std::fabs(expected) + 4e-16 * std::fmax(std::fabs(schedule.from), std::fabs(schedule.to)))
          << to_string(schedule) << " at step " << step;
    }
  }
}

TEST(ScheduleTest, EndsExactlyWhereItIsToldAndStaysThere) {
  for (const Schedule& schedule : {Schedule::linear(0.3, 0.1, 10, 33), Schedule::cosine(0.3, 0.1, 10, 33),
                                   Schedule::exponential(0.3, 0.1, 10, 33)}) {
    for (const std::int64_t step : {0, 9, 10}) {
      EXPECT_EQ(value_at(schedule, step), 0.3) << to_string(schedule);
    }
    for (const std::int64_t step : {std::int64_t{33}, std::int64_t{34}, kFar}) {
      EXPECT_EQ(value_at(schedule, step), 0.1) << to_string(schedule);
    }
    for (std::int64_t step = 10; step < 33; ++step) {
      EXPECT_LT(value_at(schedule, step + 1), value_at(schedule, step)) << to_string(schedule);
    }
  }
}

TEST(ScheduleTest, KnownValues) {
  EXPECT_NEAR(value_at(Schedule::cosine(5e-4, 1e-4, 0, 1000), 500), 3e-4, 1e-18);
  EXPECT_NEAR(value_at(Schedule::exponential(0.5, 0.1, 0, 1000), 500), 0.5 * std::sqrt(0.2), 1e-15);
  EXPECT_EQ(value_at(Schedule::half_life(500, 500), 3), 0.5);
  EXPECT_EQ(value_at(Schedule(0.998).with_burn_in(10), 0), 0.0);  // the average is the weights at first
  EXPECT_EQ(value_at(Schedule(0.998).with_burn_in(10), 10), 0.5);
  EXPECT_EQ(value_at(Schedule(0.998).with_burn_in(10), 1000000), 0.998);
  EXPECT_EQ(value_at(Schedule(2.0).with_warm_up(8), 0), 0.0);
  EXPECT_EQ(value_at(Schedule(2.0).with_warm_up(8), 2), 0.5);
  EXPECT_EQ(value_at(Schedule(2.0).with_warm_up(8), 8), 2.0);
}

// The compiler is no device, but it computes the same function.
static_assert(value_at(Schedule(0.25), 7) == 0.25);
static_assert(UpdateClock().updates_before(41) == 41);

std::string refusal_of(const Schedule& schedule, double least = -1e300, double most = 1e300) {
  try {
    check_schedule("optimizer.learning_rate", schedule, least, most);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    return error.what();
  }
  return "";
}

TEST(ScheduleTest, RefusesWhatCannotBe) {
  EXPECT_EQ(refusal_of(0.5, 0, 1), "");
  EXPECT_EQ(refusal_of(Schedule::cosine(5e-4, 1e-4, 0, 7000).with_warm_up(10).with_burn_in(3), 0, 1), "");
  EXPECT_EQ(refusal_of(Schedule::linear(1, 0, 7, 7)),
            "optimizer.learning_rate: linear from step 7 to step 7, but it must end behind its beginning, which is at "
            "least 0");
  EXPECT_NE(refusal_of(Schedule::cosine(1, 0, -1, 7)), "");
  EXPECT_EQ(refusal_of(Schedule::exponential(0.5, 0, 0, 7)),
            "optimizer.learning_rate: exponential from 0.5 to 0, but both must be positive or both negative");
  EXPECT_NE(refusal_of(Schedule::exponential(0.5, -0.1, 0, 7)), "");
  Schedule by_hand = Schedule::linear(0.5, 0.1, 0, 7);
  by_hand.shape = Schedule::Shape::exponential;
  EXPECT_NE(refusal_of(by_hand).find("make it with Schedule::exponential"), std::string::npos);
  EXPECT_EQ(refusal_of(Schedule::linear(0.5, 1.5, 0, 7), 0, 1),
            "optimizer.learning_rate: 1.5 is not in the range [0, 1] (it is linear from 0.5 to 1.5 in steps 0 to 7)");
  EXPECT_NE(refusal_of(std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_NE(refusal_of(Schedule::linear(0.5, std::numeric_limits<double>::infinity(), 0, 7)), "");
  EXPECT_NE(refusal_of(Schedule::half_life(64, -3), 0, 1), "");
  EXPECT_NE(refusal_of(Schedule(0.5).with_warm_up(-1)), "");
  EXPECT_NE(refusal_of(Schedule(0.5).with_burn_in(-1)), "");
  EXPECT_NE(refusal_of(Schedule(0.5).with_warm_up(3), 0.1, 1), "");
}

TEST(ScheduleTest, AdamRefusesRatesThatCannotBe) {
  EXPECT_NO_THROW(check_adam("generator", {}));
  EXPECT_THROW(check_adam("generator", {.learning_rate = -1e-4}), Error);
  EXPECT_THROW(check_adam("generator", {.beta2 = Schedule::linear(0.9, 1, 0, 10)}), Error);
  EXPECT_THROW(check_adam("generator", {.weight_decay = -0.1}), Error);
  EXPECT_THROW(check_adam("generator", {.weight_decay = std::numeric_limits<double>::quiet_NaN()}), Error);
}

// Phases of one step, in order; each updates the network in every so many steps.
TEST(UpdateClockTest, CountsWhatASimulationCounts) {
  struct Simulated {
    std::int64_t every;
    UpdateClock clock;
  };
  const std::vector<std::vector<Simulated>> recipes = {{{1, {}}},
                                                       {{1, {{1, 0}, {1, 0}}}, {1, {{1, 1}, {1, 0}}}},
                                                       {{1, {{1, 0}, {16, 0}}}, {16, {{1, 1}, {16, 0}}}},
                                                       {{16, {{16, 0}, {1, 0}}}, {1, {{16, 1}, {1, 0}}}},
                                                       {{4, {{4, 0}}}},
                                                       {{3, {{3, 0}, {5, 0}, {1, 0}, {7, 0}}},
                                                        {5, {{3, 1}, {5, 0}, {1, 0}, {7, 0}}},
                                                        {1, {{3, 1}, {5, 1}, {1, 0}, {7, 0}}},
                                                        {7, {{3, 1}, {5, 1}, {1, 1}, {7, 0}}}},
                                                       {{1, {{1, 0, 5}}},
                                                        {1, {{1, 1, 1}, {1, 0, 4}}},
                                                        {1, {{1, 1, 2}, {1, 0, 3}}},
                                                        {1, {{1, 1, 3}, {1, 0, 2}}},
                                                        {1, {{1, 1, 4}, {1, 0, 1}}}}};
  for (std::size_t r = 0; r < recipes.size(); ++r) {
    std::int64_t updates = 0;
    for (std::int64_t step = 0; step < 300; ++step) {
      for (const Simulated& phase : recipes[r]) {
        if (step % phase.every == 0) {
          EXPECT_EQ(phase.clock.updates_before(step), updates) << "recipe " << r << " in step " << step;
          ++updates;
        }
      }
    }
  }
  EXPECT_EQ(UpdateClock({{16, 0}}).updates_before(kFar), kFar / 16);
}

TEST(UpdateClockTest, RefusesTermsThatCannotBe) {
  EXPECT_THROW(UpdateClock({{1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}}), Error);
  EXPECT_THROW(UpdateClock({{0, 0}}), Error);
  EXPECT_THROW(UpdateClock({{1, 2}}), Error);
  EXPECT_THROW(UpdateClock({{1, 0, 0}}), Error);
}

}  // namespace

}  // namespace duel::test
