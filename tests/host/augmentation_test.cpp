// Augmentation in the recipe gan: where it stands in the recorded step, and that a run goes on as if it had never
// stopped.
#include "host/recipes/augmentation.h"

#include "host/train/trainer.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/train_steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace duel::test {
namespace {

using Block = Parameters::Block;

Options augmented_options(const std::string& preset = "conv-steady") {
  Options options = small_options(preset);
  options.data.synthetic_channels = 3;
  options.data.synthetic_width = 12;
  options.augment.policy = "full";
  return options;
}

std::vector<float> weights_of(Trainer& trainer, const char* network, Block block = Block::master) {
  return download<float>(trainer.context(), trainer.networks().parameters(network).view(block));
}

std::ptrdiff_t count_of(Trainer& trainer, std::size_t phase, const std::string& op) {
  const std::vector<Node>& nodes = trainer.phases()[phase].execution.program().nodes();
  return std::count_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.op == op; });
}

TEST(Augmentation, EveryPictureTheDiscriminatorSeesGoesThroughIt) {
  Options options = augmented_options();
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  Trainer augmented(context, options, dataset);
  // Of both halves in one batch: there, back for R1 and R2, and there again for the gradient of these.
  EXPECT_EQ(count_of(augmented, 0, "augment_pictures"), 2);
  EXPECT_EQ(count_of(augmented, 0, "augment_pictures_backward"), 1);
  // Real and generated ones, and back to the generator.
  EXPECT_EQ(count_of(augmented, 1, "augment_pictures"), 2);
  EXPECT_EQ(count_of(augmented, 1, "augment_pictures_backward"), 1);
  options.augment.policy = "none";
  Trainer plain(context, options, dataset);
  for (const std::size_t phase : {0U, 1U}) {
    EXPECT_EQ(count_of(plain, phase, "augment_pictures") + count_of(plain, phase, "augment_pictures_backward"), 0);
  }
  EXPECT_TRUE(std::isnan(metric(plain, "augment_probability")));
  train(augmented, 1);
  train(plain, 1);
  EXPECT_EQ(metric(augmented, "augment_probability"), 0.5F);
  EXPECT_NE(weights_of(augmented, "generator"), weights_of(plain, "generator"));
}

// At probability 0 pictures keep their bytes, so that all that is computed of them is the same.
TEST(Augmentation, AtProbabilityZeroItIsAsIfThereWereNone) {
  Options options = augmented_options();
  options.augment.probability = 0;
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  Trainer idle(context, options, dataset);
  options.augment.policy = "none";
  Trainer plain(context, options, dataset);
  train(idle, 3);
  train(plain, 3);
  EXPECT_EQ(weights_of(idle, "discriminator"), weights_of(plain, "discriminator"));
  EXPECT_EQ(weights_of(idle, "generator"), weights_of(plain, "generator"));
}

TEST(Augmentation, SeparateAndJointRegularisationAgree) {
  Options options = augmented_options();
  options.loss.r1 = 0.5;
  expect_apart_agrees_with_joint(options);
}

TEST(Augmentation, FusedTrainsAsUnfused) {
  const Options options = augmented_options();
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  Trainer fused(context, options, dataset, true), plain(context, options, dataset, false);
  train(fused, 2);
  train(plain, 2);
  const std::vector<float> a = weights_of(fused, "discriminator", Block::gradient),
                           b = weights_of(plain, "discriminator", Block::gradient);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], 1e-4 + 1e-3 * std::fabs(b[i]));
  }
}

// Streamed too, and with every kind of penalty, lazily.
TEST(Augmentation, AResumedRunEndsWithTheSameBytes) {
  for (const bool is_lazy : {false, true}) {
    Options options = augmented_options(is_lazy ? "classic" : "conv-steady");
    options.augment.adaptive = true;
    options.augment.flip = true;
    options.augment.probability = 0.2;
    if (is_lazy) {
      options.loss = {"hinge", 0.3, 0.3, 10.0, 2};
      options.optimizer.d_updates = 2;
      options.schedule.residency = "stream";
    }
    Context context = Context::cpu(2);
    const Data dataset = small_dataset(options);
    Trainer whole(context, options, dataset), first(context, options, dataset), second(context, options, dataset);
    const TemporaryFolder folder;
    train(whole, 12);
    train(first, 7);
    first.save(folder.path());
    second.load(folder.path());
    train(second, 5);
    for (const char* network : {"generator", "discriminator"}) {
      for (const Block block : {Block::master, Block::m, Block::v}) {
        EXPECT_EQ(weights_of(whole, network, block), weights_of(second, network, block));
      }
    }
    EXPECT_EQ(whole.read_metrics(), second.read_metrics());
    EXPECT_NE(metric(whole, "augment_probability"), 0.2F);
  }
}

// A target that every sign is above, and one that none is.
TEST(Augmentation, TheProbabilityFollowsTheSignsAndKeepsItsBounds) {
  Options options = augmented_options("classic");
  options.augment.adaptive = true;
  options.train.batch = 40;
  const float step = 40.0F / 100'000;
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  for (const char* kind : {"bce", "relativistic"}) {
    options.loss.kind = kind;
    options.augment.target = -1;
    options.augment.probability = 0.4;
    Trainer rising(context, options, dataset);
    options.augment.probability = 0.8 - 1e-5;
    Trainer highest(context, options, dataset);
    options.augment.target = 1;
    options.augment.probability = 0.4;
    Trainer falling(context, options, dataset);
    options.augment.probability = 1e-5;
    Trainer lowest(context, options, dataset);
    train(rising, 3);
    train(highest, 3);
    train(falling, 3);
    train(lowest, 3);
    EXPECT_NEAR(metric(rising, "augment_probability"), 0.4F + 3 * step, 1e-6F) << kind;
    EXPECT_NEAR(metric(highest, "augment_probability"), 0.8F, 1e-6F) << kind;
    EXPECT_NEAR(metric(falling, "augment_probability"), 0.4F - 3 * step, 1e-6F) << kind;
    EXPECT_NEAR(metric(lowest, "augment_probability"), 0, 1e-7F) << kind;
  }
}

TEST(Augmentation, AScheduledProbabilityIsLoggedAsItIs) {
  Options options = augmented_options("classic");
  options.augment.probability.shape = ScheduleOption::Shape::linear;
  options.augment.probability.from = 0;
  options.augment.probability.to = 0.8;
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  Trainer trainer(context, options, dataset);
  train(trainer, 11);  // of 40: its own step is the tenth behind the first
  EXPECT_NEAR(metric(trainer, "augment_probability"), 0.2F, 1e-6F);
  options.augment.adaptive = true;
  EXPECT_ERROR(Trainer(context, options, dataset), Error::Kind::usage, "augment.probability: linear from 0 to 0.8");
}

}  // namespace
}  // namespace duel::test
