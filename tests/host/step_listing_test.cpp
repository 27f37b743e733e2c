// A recorded step as a list, and what its nodes say about themselves.
#include "host/bench/step_listing.h"

#include "host/train/training_plan.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace duel::test {
namespace {

// Every program that a GAN of these options is recorded as.
template <class Each>
void for_each_node(const Each& each) {
  for (const char* preset_name : {"classic", "steady"}) {
    for (const char* loss : {"bce", "lsgan", "hinge", "relativistic", "wgan"}) {
      Options options = small_options(preset_name);
      options.loss.kind = loss;
      options.loss.gradient_penalty = 10;
      options.optimizer.clip_norm = 1;
      options.schedule.residency = loss[0] == 'w' ? "stream" : "device";
      for (const bool is_fused : {true, false}) {
        const Data data = small_dataset(options);
        const bool is_streamed = options.schedule.residency == "stream";
        const TrainingPlan plan = plan_training(options, data, is_streamed, 1, {.is_fused = is_fused});
        for (const RecordedPhase& phase : plan.step.phases) {
          for (const Node& node : phase.program.nodes()) {
            each(node);
          }
        }
      }
    }
  }
}

TEST(StepListing, NoNodeHidesItsParameters) {
  std::set<std::string> with_parameters;
  for_each_node([&](const Node& node) {
    EXPECT_EQ(node.parameters.has_value(), !node.attributes.empty()) << node.op;
    if (!node.attributes.empty()) {
      with_parameters.insert(node.op);
    }
  });
  for (const char* op : {"adam", "affine", "clip_scale", "conv2d_forward", "ema", "gather_rows", "load_rows", "matmul",
                         "random_normal", "reduce_sum", "small_program", "store_scalars"}) {
    EXPECT_EQ(with_parameters.count(op), 1U) << op;
  }
}

TEST(StepListing, NodesSayWhatBenchesAskOfThem) {
  std::set<std::string> products, updates;
  for_each_node([&](const Node& node) {
    EXPECT_EQ(node.traits.is_product, node.op == "matmul" || node.op.starts_with("conv2d")) << node.op;
    EXPECT_GT(node.traits.inside, 0);
    EXPECT_LE(node.traits.inside, 1);
    EXPECT_TRUE(node.traits.is_product || (node.traits.inside == 1 && node.traits.winograd_share == 1)) << node.op;
    if (node.traits.winograd_share < 1) {
      products.insert(node.op);
    }
    if (node.traits.update_bytes > 0) {
      updates.insert(node.op);
    }
  });
  EXPECT_EQ(products, (std::set<std::string>{"conv2d_backward_input", "conv2d_backward_weight",
                                             "conv2d_bias_act_backward", "conv2d_forward"}));
  EXPECT_EQ(updates, (std::set<std::string>{"adam"}));
}

TEST(StepListing, HasBothPhasesBeforeAndAfterFusion) {
  const Options options = small_options("classic");
  const Data dataset = small_dataset(options);
  const std::vector<ListedPhase> fused = list_step(options, dataset, true), plain = list_step(options, dataset, false);
  ASSERT_EQ(fused.size(), 2U);
  EXPECT_EQ(fused[0].name, "d_main");
  EXPECT_EQ(fused[1].name, "g_main");
  EXPECT_LT(fused[0].nodes.size(), plain[0].nodes.size());
  const auto first = std::find_if(fused[0].nodes.begin(), fused[0].nodes.end(),
                                  [](const ListedNode& node) { return node.op == "conv2d_forward"; });
  ASSERT_NE(first, fused[0].nodes.end());
  EXPECT_EQ(first->place, "d_main/discriminator/conv1");
  EXPECT_EQ(to_string(first->attributes), "stride 1, pad [1,1,1,1], activation relu");
  EXPECT_EQ(first->inputs[1].name, "discriminator/conv1/weight");
  EXPECT_EQ(first->inputs[1].bound.storage, "discriminator/master");
  EXPECT_GT(first->cost.flops, 0);
  double flops = 0;
  for (const ListedNode& node : fused[0].nodes) {
    flops += node.cost.flops;
  }
  EXPECT_EQ(fused[0].cost.flops, flops);
}

}  // namespace
}  // namespace duel::test
