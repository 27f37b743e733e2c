// What engine/rewrite/proportional_gradients.h saves the presets that train by R1 and R2.
#include "host/train/training_plan.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace duel::test {
namespace {

// The loss passes nothing back through a convolution, and each weight has one product of both.
TEST(SharedGradients, ThePresetsPassNothingBackTwice) {
  for (const char* name : {"steady", "conv-steady", "photographs", "residual"}) {
    for (const char* precision : {"fp32", "bf16"}) {
      Options options = small_options(name);
      options.precision = precision;
      options.data.synthetic_height = options.data.synthetic_width = 32;
      options.data.synthetic_channels = 3;
      const Data data = open_dataset(options.data);
      const TrainingPlan fused = plan_training(options, data, false, 1),
                         unfused = plan_training(options, data, false, 1, {.is_fused = false});
      const auto of_phase = [](const TrainingPlan& plan) -> const Program& {
        return std::find_if(plan.step.phases.begin(), plan.step.phases.end(),
                            [](const RecordedPhase& phase) { return phase.name == "d_main"; })
            ->program;
      };
      const auto count = [&](const TrainingPlan& plan, const std::string& op) {
        const std::vector<Node>& nodes = of_phase(plan).nodes();
        return std::count_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.op == op; });
      };
      const auto passed_back = [&](const TrainingPlan& plan) {
        const Program& p = of_phase(plan);
        return std::count_if(p.nodes().begin(), p.nodes().end(), [&](const Node& node) {
          return node.op == "conv2d_backward_input" && p.place(node).starts_with("d_main/backward/discriminator");
        });
      };
      EXPECT_GT(passed_back(unfused), 0) << name << " " << precision;
      EXPECT_EQ(passed_back(fused), 0) << name << " " << precision;
      EXPECT_LT(count(fused, "conv2d_backward_weight"), count(unfused, "conv2d_backward_weight"))
          << name << " " << precision;
    }
  }
}

}  // namespace
}  // namespace duel::test
