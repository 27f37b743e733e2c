// The variational autoencoder as a recipe: what it measures, that it learns and resumes, its sheets, what it refuses.
#include "engine/models/vae.h"
#include "host/pictures/png.h"
#include "host/pictures/sample_grid.h"
#include "host/recipes/vae.h"
#include "host/sample/generate.h"
#include "host/sample/held_out.h"
#include "host/train/reconstructions.h"
#include "host/train/trainer.h"
#include "host/train/training_run.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

namespace duel::test {
namespace {

using Block = Parameters::Block;

struct VaeTraining : Training {
  explicit VaeTraining(const Options& run_options = small_vae_options()) : Training(run_options) {}

  std::vector<float> everything() {
    std::vector<float> all;
    for (const SavedBlock& saved : trainer.blocks()) {
      const std::vector<float> values = download<float>(context, saved.block);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
};

// The probability of a grey level: of the normal distribution from half below to half above.
double bits_of_level(double level, double mean, double sigma) {
  const auto below = [&](double x) { return 0.5 * std::erfc((mean - x) / (sigma * std::numbers::sqrt2)); };
  return -std::log2(below(level + 0.5) - below(level - 0.5));
}

// The loss is the likelihood of whole pictures under the best sigma, number by number; in bits of a grey level it is
// what the discretised likelihood comes to.
TEST(Vae, TheLossIsTheLikelihoodOfGreyLevels) {
  std::vector<double> levels, means;
  for (int i = 0; i < 96; ++i) {
    levels.push_back((i * 37) % 256);
    means.push_back(levels.back() + 12 * std::sin(i) + 0.3);
  }
  double mse = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    mse += std::pow((levels[i] - means[i]) / 127.5, 2) / static_cast<double>(levels.size());
  }
  const double sigma = std::sqrt(mse);
  double nats = 0, bits = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double z = (levels[i] - means[i]) / 127.5 / sigma;
    nats += 0.5 * std::log(2 * std::numbers::pi) + std::log(sigma) + 0.5 * z * z;
    bits += bits_of_level(levels[i], means[i], 127.5 * sigma) / static_cast<double>(levels.size());
  }
  const double loss = optimal_sigma_loss(mse, std::ssize(levels));
  // The soft clip lifts log sigma by log(1 + e^(m - log sigma)), the loss by the square of that.
  EXPECT_NEAR(loss, nats, 96 * std::pow(std::exp(std::numbers::ln2 - 6) / sigma, 2));
  EXPECT_GE(loss, nats);
  const double bound = 1 / (24 * std::pow(127.5 * sigma, 2) * std::numbers::ln2);
  EXPECT_NEAR(vae_bits_per_dim(nats, std::ssize(levels)), bits, bound);
}

TEST(Vae, MetricsAreThoseOfOneStep) {
  VaeTraining training;
  training.train(3);
  const std::int64_t numbers = 8 * 12;
  const double loss = training.metric("loss");
  EXPECT_NEAR(loss, training.metric("kl") + optimal_sigma_loss(4 * training.metric("mse"), numbers),
              1e-4 * std::fabs(loss));
  EXPECT_NEAR(training.metric("elbo_bits_per_dim"), loss / (96 * std::numbers::ln2) + std::log2(127.5), 1e-4);
  EXPECT_GT(training.metric("kl"), 0);
  EXPECT_GT(training.metric("grad_norm"), 0);
}

TEST(Vae, LearnsAndResumesWithTheSameBytes) {
  Options options = small_vae_options();
  options.optimizer.learning_rate = 5e-3;
  VaeTraining whole(options), first(options), second(options);
  options.schedule.residency = "stream";
  VaeTraining streamed(options);
  const TemporaryFolder folder;
  whole.train(1);
  const double before = whole.metric("loss");
  whole.train(59);
  EXPECT_LT(whole.metric("loss"), before - 5);
  first.train(25);
  first.trainer.save(folder.path());
  second.trainer.load(folder.path());
  second.train(35);
  streamed.train(60);
  EXPECT_EQ(whole.everything(), second.everything());
  EXPECT_EQ(whole.everything(), streamed.everything());
}

TEST(Vae, Bf16FollowsFp32) {
  Options options = small_vae_options();
  VaeTraining exact(options);
  options.precision = "bf16";
  if (!exact.context.supports_bf16()) {
    EXPECT_ERROR(VaeTraining{options}, Error::Kind::device, "AVX512-BF16");
    GTEST_SKIP() << "this CPU has no AVX512-BF16";
  }
  VaeTraining rounded(options);
  exact.train(1);
  rounded.train(1);
  for (const char* name : {"loss", "mse", "kl", "grad_norm"}) {
    EXPECT_NEAR(rounded.metric(name), exact.metric(name), 0.03 * std::fabs(exact.metric(name)) + 0.01) << name;
  }
}

// The mean over many draws of z of what training measures comes near to it; the reconstruction from the mean is better.
TEST(Vae, HeldOutRowsAreMeasuredByTheAverages) {
  Options options = small_vae_options();
  options.data.synthetic_count = 800;
  options.optimizer.learning_rate = 5e-3;
  options.optimizer.ema_decay = 0;
  VaeTraining training(options);
  training.train(60);
  const auto rows = open_held_out(options.data, main_source(training.data));
  HeldOut held_out(training.context, *training.trainer.recipe().held_out(), *rows, training.trainer.networks(),
                   training.trainer.memory().storage());
  const std::vector<NamedNumber> first = held_out.measure(training.context).numbers;
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first, held_out.measure(training.context).numbers);
  EXPECT_NEAR(first[0].second, training.metric("elbo_bits_per_dim"), 0.3);
  EXPECT_LT(first[1].second, 1.3 * training.metric("mse"));
  EXPECT_NEAR(first[2].second, training.metric("kl"), 0.3 * training.metric("kl") + 1);
  training.train(100);
  EXPECT_LT(held_out.measure(training.context).numbers[0].second, first[0].second);
}

// More pictures than a batch of the sampler: each is drawn as by itself, and stands above its reconstruction.
TEST(Vae, ASheetShowsPicturesAboveTheirReconstructions) {
  Options options = small_vae_options();
  options.data.synthetic_count = 100 * 8;  // an eighth as many are held out
  options.output.sample_rows = 15;
  options.output.sample_columns = 12;
  VaeTraining training(options);
  training.train(5);
  const auto held_out = open_held_out(options.data, main_source(training.data));
  const Sampling sampling = *training.trainer.recipe().reconstruction();
  Reconstructions reconstructions(options, *held_out, training.trainer, sampling);
  ASSERT_EQ(reconstructions.rows(), 14);
  reconstructions.snapshot().begin();
  reconstructions.snapshot().wait();
  const std::vector<float> sheet = reconstructions.sheet();
  reconstructions.snapshot().release();
  constexpr std::size_t kPicture = 8 * 12, kRow = 12 * kPicture;
  ASSERT_EQ(sheet.size(), 14 * kRow);

  const SamplingModel model{sampling, training.trainer.networks(), training.trainer.memory().storage()};
  RowSampler alone(training.context, model, Block::average);
  for (const std::size_t row : {std::size_t{0}, std::size_t{5}, std::size_t{6}}) {
    std::vector<std::byte> picture(kPicture);
    held_out->read(static_cast<std::int64_t>(row) * 12 + 3, field_index(*held_out, "picture"), picture.data());
    const auto shown = std::span(sheet).subspan(2 * row * kRow + 3 * kPicture, kPicture);
    EXPECT_EQ(to_picture(shown, 8, 12, 1).pixels[7], static_cast<std::uint8_t>(picture[7]));
    EXPECT_FLOAT_EQ(shown[50], static_cast<float>(picture[50]) / 127.5F - 1);
    const std::array rows = {std::span<const std::byte>(picture)};
    const std::vector<float> expected = alone.run(training.context, rows)[0];
    const auto made = std::span(sheet).subspan((2 * row + 1) * kRow + 3 * kPicture, kPicture);
    EXPECT_TRUE(std::equal(made.begin(), made.end(), expected.begin())) << row;
  }
}

TEST(Vae, ARunHasItsSheetsAndDrawsPictures) {
  const TemporaryFolder folder;
  TrainingRequest request;
  request.options = small_vae_options();
  request.options.device = "cpu";
  request.options.threads = 2;
  request.options.train.steps = 4;
  request.options.output.samples_every = 2;
  request.options.output.sample_rows = 1;  // a sheet of reconstructions needs two
  request.options.output.sample_columns = 3;
  request.folder = (folder / "run").string();
  EXPECT_EQ(run_training(request).step, 4);
  for (const char* step : {"0", "2", "4"}) {
    const std::string name = std::string("run/samples/step_00000000") + step;
    const Picture sheet = read_png(folder / (name + ".png")),
                  pairs = read_png(folder / (name + "_reconstructions.png"));
    EXPECT_EQ(pairs.width, sheet.width);
    EXPECT_EQ(pairs.height, 2 * sheet.height - 2);  // one gap is shared
    EXPECT_TRUE(std::filesystem::exists(folder / (name + "_raw.png")));
  }
  GenerateRequest drawn;
  drawn.run = request.folder;
  drawn.out = (folder / "pictures").string();
  drawn.count = 3;
  drawn.where.device = "cpu";
  EXPECT_EQ(generate(drawn).step, 4);
  EXPECT_EQ(read_png(folder / "pictures/0000002.png").width, 12);
}

TEST(Vae, WhatItCannotLearnIsRefused) {
  Options options = small_vae_options();
  options.data.synthetic_width = 10;
  EXPECT_ERROR(VaeTraining{options}, Error::Kind::usage,
               "vae: pictures are 8x10, but height and width must be multiples");
  options = small_vae_options();
  options.data.labels = true;
  EXPECT_ERROR(VaeTraining{options}, Error::Kind::usage, "recipe vae: learns nothing by class");
  Fields fields;
  fields["main"] = {label_field("label", {"a", "b"})};
  EXPECT_ERROR(make_vae(small_vae_options(), fields, 1), Error::Kind::usage,
               "recipe vae: needs the field picture of the source main, which has only label");
}

}  // namespace
}  // namespace duel::test
