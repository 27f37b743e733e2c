// The live line: whole where there is room, and with the step, the speed and the time left where there is little.
#include "host/run/progress.h"

#include <gtest/gtest.h>

#include <vector>

namespace duel {
namespace {

const std::vector<std::string> kNames = {"d_loss",          "g_loss",      "d_accuracy_real",
                                         "d_accuracy_fake", "d_grad_norm", "g_grad_norm"};
const std::vector<float> kValues = {0.51F, 1.2F, 0.83F, 0.91F, 0.4F, 0.12F};

ProgressState state() {
  return {120, 1200, 100, 12, 860, 84, kNames, kValues};
}

TEST(Progress, TheLineFitsTheTerminal) {
  const std::string whole = progress_line(state());
  EXPECT_EQ(
      whole,
      "step 120/1200  epoch 2/12  D 0.510  G 1.200  acc real 83% fake 91%  grad D 0.40 G 0.12  860 img/s  ETA 1:24");
  EXPECT_EQ(progress_line(state(), whole.size()), whole);
  EXPECT_EQ(progress_line(state(), 79), "step 120/1200  epoch 2/12  D 0.510  G 1.200  860 img/s  ETA 1:24");
  EXPECT_EQ(progress_line(state(), 40), "step 120/1200  860 img/s  ETA 1:24");
  EXPECT_EQ(progress_line(state(), 20), "120 860/s 1:24");
  for (std::size_t columns = 0; columns < 130; ++columns) {
    const std::string line = progress_line(state(), columns);
    EXPECT_LE(line.size(), columns);
    EXPECT_TRUE(columns < 14 || line.ends_with("1:24")) << line;
  }
}

TEST(Progress, ARelativisticDiscriminatorIsSeenByItsPairs) {
  const std::vector<std::string> names = {"d_loss", "g_loss", "d_pairs_right", "d_grad_norm", "g_grad_norm"};
  const std::vector<float> values = {0.51F, 1.2F, 0.83F, 0.4F, 0.12F};
  EXPECT_EQ(progress_line({120, 1200, 100, 12, 860, 84, names, values}),
            "step 120/1200  epoch 2/12  D 0.510  G 1.200  pairs right 83%  grad D 0.40 G 0.12  860 img/s  ETA 1:24");
}

TEST(Progress, OtherRecipesShowTheirMetricsByName) {
  const std::vector<std::string> names = {"loss", "accuracy", "grad_norm"};
  const std::vector<float> values = {0.53F, 0.88F, 0.41F};
  const std::vector<std::pair<std::string, double>> held_out = {{"held_out_accuracy", 0.918}};
  const ProgressState s{120, 1200, 100, 12, 860, 84, names, values, held_out};
  EXPECT_EQ(progress_line(s),
            "step 120/1200  epoch 2/12  loss 0.530  accuracy 88%  grad_norm 0.41  held_out_accuracy 91.8%  860 img/s  "
            "ETA 1:24");
  EXPECT_EQ(progress_line(s, 80), "step 120/1200  loss 0.530  held_out_accuracy 91.8%  860 img/s  ETA 1:24");
}

TEST(Progress, NumbersOfLongRunsAreRight) {
  ProgressState s = state();
  s.step = 4'000'000'000;
  s.last_step = 1'000'000'000'000;
  s.steps_per_epoch = 1;
  s.epochs = 1'000'000'000'000;
  EXPECT_EQ(progress_line(s).substr(0, 58), "step 4000000000/1000000000000  epoch 4000000000/1000000000");
  EXPECT_LE(progress_line(s, 79).size(), 79U);
}

}  // namespace
}  // namespace duel
