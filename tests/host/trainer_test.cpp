// A whole training on the CPU, small: what a step is made of, saving and resuming, every loss, both precisions.
#include "host/train/trainer.h"

#include "engine/nn/losses.h"
#include "engine/ops/ops.h"
#include "engine/rewrite/differentiate.h"
#include "host/config/configuration.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/train_steps.h"

#include <gtest/gtest.h>

#include <cmath>

namespace duel::test {
namespace {

using Block = Parameters::Block;

std::vector<float> weights_of(Trainer& trainer, Block block = Block::master) {
  std::vector<float> all;
  for (const NamedNetwork& each : trainer.networks().list()) {
    const Parameters& parameters = each.network->parameters();
    if (parameters.has(block)) {
      const std::vector<float> values = download<float>(trainer.context(), parameters.view(block));
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  return all;
}

class Presets : public testing::TestWithParam<const char*> {};

TEST_P(Presets, FortyStepsAreTwentyAndAResumeAndTwenty) {
  const Options options = small_options(GetParam());
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer whole(context, options, dataset), first(context, options, dataset), second(context, options, dataset);
  const TemporaryFolder folder;
  train(whole, 40);
  train(first, 20);
  first.save(folder.path());
  second.load(folder.path());
  EXPECT_EQ(second.steps_done(), 20);
  train(second, 20);
  for (const Block block : {Block::master, Block::m, Block::v, Block::average}) {
    EXPECT_EQ(weights_of(whole, block), weights_of(second, block));
  }
  EXPECT_EQ(whole.read_metrics(), second.read_metrics());
}

TEST_P(Presets, TheSameSeedGivesTheSameBytesAndAnotherDoesNot) {
  Options options = small_options(GetParam());
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer a(context, options, dataset), b(context, options, dataset);
  options.seed = 12;
  Trainer c(context, options, dataset);
  train(a, 5);
  train(b, 5);
  train(c, 5);
  EXPECT_EQ(weights_of(a), weights_of(b));
  EXPECT_NE(weights_of(a), weights_of(c));
}

TEST_P(Presets, FusedTrainsAsUnfused) {
  const Options options = small_options(GetParam());
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer fused(context, options, dataset, true), plain(context, options, dataset, false);
  EXPECT_LT(fused.phases()[0].execution.program().nodes().size(), plain.phases()[0].execution.program().nodes().size());
  train(fused, 3);
  train(plain, 3);
  const std::vector<float> a = weights_of(fused, Block::gradient), b = weights_of(plain, Block::gradient);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], 1e-4 + 1e-3 * std::fabs(b[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Trainer, Presets, testing::Values("classic", "steady"), [](const auto& i) { return i.param; });

TEST(Trainer, TheGeneratorsPhaseLeavesTheDiscriminatorAlone) {
  const Options options = small_options("classic");
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, dataset);
  const auto discriminator = [&] {
    return download<float>(context, trainer.networks().parameters("discriminator").view(Block::master));
  };
  const auto generator = [&] {
    return download<float>(context, trainer.networks().parameters("generator").view(Block::master));
  };
  const auto d0 = discriminator(), g0 = generator();
  trainer.phases()[0].execution.run(context);
  const auto d1 = discriminator(), g1 = generator();
  EXPECT_NE(d0, d1);
  EXPECT_EQ(g0, g1);
  trainer.phases()[1].execution.run(context);
  EXPECT_EQ(d1, discriminator());
  EXPECT_NE(g1, generator());
}

TEST(Trainer, EveryLossWithEveryPenaltyTrainsFinitelyAtOddSizesInColour) {
  for (const char* kind : {"bce", "lsgan", "hinge", "relativistic", "wgan"}) {
    for (const auto& [r1, r2, penalty] :
         {std::tuple{0.0, 0.0, 0.0}, {0.5, 0.0, 0.0}, {0.0, 0.5, 0.0}, {0.3, 0.3, 10.0}}) {
      Options options = small_options("classic");
      options.data.synthetic_channels = 3;
      options.data.synthetic_width = 7;
      options.model.discriminator_activation = "tanh";  // curved: every second derivative is at work
      options.loss = {kind, r1, r2, penalty};
      options.train.batch = 5;
      const Data dataset = small_dataset(options);
      Context context = Context::cpu(2);
      Trainer trainer(context, options, dataset);
      const std::vector<float> before = weights_of(trainer);
      train(trainer, 3);
      for (const float value : trainer.read_metrics()) {
        EXPECT_TRUE(std::isfinite(value)) << kind << " " << r1 << " " << r2 << " " << penalty;
      }
      EXPECT_NE(before, weights_of(trainer));
    }
  }
}

TEST(Trainer, SeparateAndJointRegularisationAgree) {
  expect_apart_agrees_with_joint(small_options("steady"));
}

TEST(Trainer, ClippingBoundsTheUpdateAndIsOffByDefault) {
  Options options = small_options("classic");
  options.optimizer.beta1 = 0;
  options.optimizer.clip_norm = 1e-3;
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  Trainer clipped(context, options, dataset);
  train(clipped, 1);
  double squares = 0;  // with beta1 = 0, m is the clipped gradient
  for (const float m : download<float>(context, clipped.networks().parameters("discriminator").view(Block::m))) {
    squares += static_cast<double>(m) * static_cast<double>(m);
  }
  EXPECT_GT(metric(clipped, "d_grad_norm"), 1e-3F);
  EXPECT_NEAR(std::sqrt(squares), 1e-3, 1e-5);
  EXPECT_EQ(preset("classic").optimizer.clip_norm, 0);
}

TEST(Trainer, Bf16FollowsFp32) {
  Options options = small_options("steady");
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  Trainer exact(context, options, dataset);
  options.precision = "bf16";
  if (!context.supports_bf16()) {
    EXPECT_ERROR(Trainer(context, options, dataset), Error::Kind::device, "AVX512-BF16");
    GTEST_SKIP() << "this CPU has no AVX512-BF16";
  }
  Trainer rounded(context, options, dataset);
  train(exact, 1);
  train(rounded, 1);
  for (const char* name : {"d_loss", "g_loss", "r1", "d_grad_norm", "g_grad_norm"}) {
    EXPECT_NEAR(metric(rounded, name), metric(exact, name), 0.03F * std::fabs(metric(exact, name)) + 0.01F) << name;
  }
  train(rounded, 20);
  for (const float value : rounded.read_metrics()) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

// Batch by batch through the ring, also where a slot holds two batches, and across a resume.
TEST_P(Presets, StreamedPicturesGiveTheSameBytes) {
  Options options = small_options(GetParam());
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  options.schedule.residency = "device";
  Trainer resident(context, options, dataset);
  options.schedule.residency = "stream";
  options.schedule.steps_per_launch = 3;
  Trainer streamed(context, options, dataset), resumed(context, options, dataset);
  EXPECT_FALSE(resident.streams_pictures());
  EXPECT_TRUE(streamed.streams_pictures());
  const int batches = std::string(GetParam()) == "steady" ? 2 : 1;
  EXPECT_EQ(streamed.memory_use().pictures, std::size_t{6} * batches * 320);  // slots; 6 pictures of 8x6, rounded up
  EXPECT_EQ(plan_training(options, dataset, true, 1).memory.pictures, streamed.memory_use().pictures);
  const TemporaryFolder folder;
  train(resident, 17);
  train(streamed, 8);
  streamed.save(folder.path());
  resumed.load(folder.path());
  train(streamed, 9);
  train(resumed, 9);
  EXPECT_EQ(weights_of(resident), weights_of(streamed));
  EXPECT_EQ(weights_of(resident), weights_of(resumed));
  EXPECT_EQ(resident.read_metrics(), resumed.read_metrics());
}

TEST(Trainer, RowsComeInOrderAndOnce) {
  const Options options = small_options("classic");
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, dataset);
  std::vector<std::int64_t> seen;
  std::vector<float> last;
  trainer.on_row([&](std::int64_t step, std::span<const float> row) {
    seen.push_back(step);
    last.assign(row.begin(), row.end());
  });
  trainer.run_to(5);
  trainer.run_to(100, [&] { return seen.size() >= 7; });
  trainer.drain();
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(trainer.steps_done(), 7);
  EXPECT_EQ(trainer.read_metrics(), last);
  trainer.on_row([](std::int64_t, std::span<const float>) { throw std::runtime_error("stop"); });
  EXPECT_THROW(trainer.step(), std::runtime_error);
}

TEST(Trainer, RefusesABatchLargerThanTheData) {
  Options options = small_options();
  options.train.batch = 41;
  Context context = Context::cpu(1);
  const Data dataset = small_dataset(options);
  EXPECT_ERROR(Trainer(context, options, dataset), Error::Kind::data,
               "train.batch is 41, but synthetic has only 40 pictures");
}

TEST(Trainer, RefusesCheckpointsOfAnotherArchitectureSeedOrData) {
  const TemporaryFolder folder;
  const Options options = small_options();
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, dataset);
  train(trainer, 2);
  trainer.save(folder.path());
  const auto load_with = [&](const Options& other) {
    const Data data = small_dataset(other);
    Trainer loader(context, other, data);
    loader.load(folder.path());
  };
  Options wider = options, deeper = options, reseeded = options, more = options;
  wider.model.generator_widths = {12, 10};
  deeper.model.discriminator_widths = {7, 7};
  reseeded.seed = 99;
  more.data.synthetic_count = 41;
  EXPECT_ERROR(load_with(wider), Error::Kind::data, "generator/dense2/weight is f32[12,9] there, but f32[12,10]");
  EXPECT_ERROR(load_with(deeper), Error::Kind::data, "another architecture");
  EXPECT_ERROR(load_with(reseeded), Error::Kind::data, "seed 11, but the configuration says 99");
  EXPECT_ERROR(load_with(more), Error::Kind::data, "40 pictures");
}

TEST(Trainer, ADamagedCheckpointIsRefusedAndChangesNothing) {
  const TemporaryFolder folder;
  const Options options = small_options();
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, dataset);
  train(trainer, 2);
  trainer.save(folder.path());
  const std::vector<float> before = weights_of(trainer);
  const std::string whole = read_file(folder / "state.safetensors");
  for (const std::size_t at : {whole.size() / 2, whole.size() - 5}) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    write_file(folder / "state.safetensors", flipped);
    EXPECT_ERROR(trainer.load(folder.path()), Error::Kind::data, "state.safetensors");
  }
  write_file(folder / "state.safetensors", whole.substr(0, whole.size() - 100));
  EXPECT_ERROR(trainer.load(folder.path()), Error::Kind::data, "state.safetensors");
  write_file(folder / "state.safetensors", whole);
  write_file(folder / "state.json", "{\"format\": 1");
  EXPECT_ERROR(trainer.load(folder.path()), Error::Kind::data, "state.json");
  EXPECT_EQ(before, weights_of(trainer));
}

TEST(Trainer, MemoryIsKnownAndShared) {
  const Options options = small_options();
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, dataset);
  const MemoryUse use = trainer.memory_use();
  EXPECT_EQ(use.pictures, 40U * 8 * 6);
  EXPECT_LT(use.arena, use.arena_unshared);
  train(trainer, 3);
  EXPECT_EQ(trainer.memory_use().total(), use.total());  // nothing more is taken once it runs
}

}  // namespace
}  // namespace duel::test
