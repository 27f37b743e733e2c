// The sentence that a bench of steps ends with.
#include "host/bench/step_bench.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

StepBench usual() {
  StepBench bench;
  bench.ms_median = 10;
  bench.ms_max = 12;
  bench.operators_ms = 9.5;
  bench.operators = {{.key = {.op = "matmul", .arrays = {}, .where = "d_main"}, .calls = 3, .ms = 6, .floor_ms = 5.5},
                     {.key = {.op = "adam", .arrays = {}, .where = "d_main/discriminator/update"},
                      .calls = 1,
                      .ms = 3.5,
                      .floor_ms = 1}};
  return bench;
}

TEST(StepBench, AdviceIsWhatIsFurthestAboveItsFloor) {
  EXPECT_EQ(advice(usual()),
            "Look at adam of d_main/discriminator/update first: 3.5 ms of a step, where 1 is the floor; at that, a "
            "step would "
            "take 7.5 ms.");
}

TEST(StepBench, AdviceIsFirstOfWhatSpoilsTheMeasurementThenOfTheHost) {
  StepBench bench = usual();
  bench.operators_ms = 7;
  EXPECT_EQ(advice(bench).substr(0, 43), "3 ms of a step (30 %) pass between operator");
  bench.waited = 0.25;
  EXPECT_EQ(advice(bench).substr(0, 34), "For 25 % of the time the device wa");
  bench.ms_max = 31;
  EXPECT_EQ(advice(bench).substr(0, 39), "The slowest step took 3.1 times the med");
}

}  // namespace
}  // namespace duel::test
