// Training and drawing by class, with each kind of networks.
#include "host/files/safetensors.h"
#include "host/recipes/registry.h"
#include "host/sample/class_choice.h"
#include "host/sample/sampler.h"
#include "host/sample/sheet_sampler.h"
#include "host/train/trainer.h"
#include "kernels/check.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace duel::test {
namespace {

using Block = Parameters::Block;

constexpr int kClasses = 8;  // of the synthetic set

Options options_by_class(const std::string& preset_name) {
  Options options = small_options(preset_name);
  options.data.labels = true;
  options.data.synthetic_width = 8;
  if (preset_name == "dcgan" || preset_name == "sagan") {  // so large that batch norm and attention are in them
    options.data.synthetic_height = options.data.synthetic_width = 16;
    options.model.filters = preset_name == "sagan" ? 8 : 3;
  }
  return options;
}

void train(Trainer& trainer, int steps) {
  trainer.run_to(trainer.steps_done() + steps);
  trainer.drain();
}

std::vector<float> weights_of(Trainer& trainer) {
  std::vector<float> all;
  for (const SavedBlock& saved : trainer.blocks()) {
    const std::vector<float> values = download<float>(trainer.context(), saved.block);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

class ByClass : public testing::TestWithParam<const char*> {
protected:
  Options options_ = options_by_class(GetParam());
  Data data_ = small_dataset(options_);
  Context context_ = Context::cpu(2);
};

TEST_P(ByClass, StreamedAndResumedTrainingGiveTheSameBytes) {
  options_.schedule.residency = "device";
  Trainer resident(context_, options_, data_);
  options_.schedule.residency = "stream";
  options_.schedule.steps_per_launch = 3;
  Trainer streamed(context_, options_, data_), resumed(context_, options_, data_);
  const TemporaryFolder folder;
  train(resident, 9);
  train(streamed, 4);
  streamed.save(folder.path());
  resumed.load(folder.path());
  train(streamed, 5);
  train(resumed, 5);
  EXPECT_EQ(weights_of(resident), weights_of(streamed));
  EXPECT_EQ(weights_of(resident), weights_of(resumed));
}

TEST_P(ByClass, BothNetworksLearnARowOfEachClass) {
  Trainer trainer(context_, options_, data_);
  const auto table_of = [&](const char* network) {
    const Parameters& parameters = trainer.networks().parameters(network);
    const auto found = std::find_if(parameters.list().begin(), parameters.list().end(),
                                    [](const Parameter& each) { return each.name == "classes/weight"; });
    EXPECT_EQ(found->shape[0], kClasses);
    return download<float>(context_, parameters.view(Block::master, *found));
  };
  const std::vector<float> g = table_of("generator"), d = table_of("discriminator");
  train(trainer, 8);  // 48 pictures: a whole epoch of 40
  const auto all_rows_changed = [](const std::vector<float>& before, const std::vector<float>& after) {
    const std::size_t width = before.size() / kClasses;
    for (std::size_t i = 0; i < before.size(); i += width) {
      if (std::equal(before.begin() + static_cast<std::ptrdiff_t>(i),
                     before.begin() + static_cast<std::ptrdiff_t>(i + width),
                     after.begin() + static_cast<std::ptrdiff_t>(i))) {
        return false;
      }
    }
    return true;
  };
  EXPECT_TRUE(all_rows_changed(g, table_of("generator")));
  EXPECT_TRUE(all_rows_changed(d, table_of("discriminator")));
}

TEST_P(ByClass, APictureDependsOnItsSeedNumberAndClassAlone) {
  Trainer trainer(context_, options_, data_);
  train(trainer, 3);
  Sampler sampler(context_, trainer.sampling(), Block::average, 7);
  const auto draw = [&](std::int64_t first, const std::vector<int>& classes) {
    return sampler.draw(context_, first, static_cast<int>(classes.size()), one_hot(classes, kClasses));
  };
  const std::vector<float> three = draw(63, {1, 2, 3});  // two batches
  const std::size_t size = three.size() / 3;
  const std::vector<float> second(three.begin() + static_cast<std::ptrdiff_t>(size),
                                  three.begin() + static_cast<std::ptrdiff_t>(2 * size));
  EXPECT_EQ(draw(64, {2}), second);
  EXPECT_NE(draw(64, {3}), second);
  EXPECT_NE(draw(65, {2}), second);

  // The same from a latent that is given, and halves of two classes lie elsewhere than either.
  RowSampler rows(context_, trainer.sampling(), Block::average);
  const std::vector<float> latent = {0.5F, -1, 0.25F, 2, -0.125F};
  const auto of_shares = [&](const std::vector<float>& shares) {
    const std::array given = {std::as_bytes(std::span(latent)), std::as_bytes(std::span(shares))};
    return rows.run(context_, given)[0];
  };
  std::vector<float> mixed(kClasses);
  mixed[0] = mixed[1] = 0.5F;
  const std::vector<float> a = of_shares(one_hot(std::array{0}, kClasses));
  const std::vector<float> b = of_shares(one_hot(std::array{1}, kClasses));
  EXPECT_NE(a, b);
  EXPECT_NE(of_shares(mixed), a);
  EXPECT_NE(of_shares(mixed), b);
}

TEST_P(ByClass, TheRowsOfASheetAreOfOneClassEach) {
  Trainer trainer(context_, options_, data_);
  train(trainer, 2);
  const SheetShape shape{10, 7};  // 70 pictures, two batches; the ninth row begins again
  SheetSampler sheet(context_, trainer.queue(), trainer.sampling(), Block::average, 7, shape);
  sheet.snapshot().begin();
  sheet.snapshot().wait();
  const std::span<const std::byte> bytes = sheet.snapshot().bytes();
  const std::span<const float> drawn(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
  Sampler sampler(context_, trainer.sampling(), Block::average, 7);
  const std::vector<float> expected =
      sampler.draw(context_, 0, 70, one_hot(classes_by_row(shape.rows, shape.columns, kClasses), kClasses));
  EXPECT_TRUE(std::equal(drawn.begin(), drawn.end(), expected.begin(), expected.end()));
  sheet.snapshot().release();
}

INSTANTIATE_TEST_SUITE_P(Classes, ByClass,
                         testing::Values("classic", "steady", "conv-steady", "dcgan", "residual", "sagan"),
                         [](const auto& test) {
                           return std::string(test.param) == "conv-steady" ? "conv_steady" : test.param;
                         });

TEST(Classes, EveryLossAndPenaltyTrainsByClass) {
  Context context = Context::cpu(2);
  for (const char* kind : {"bce", "lsgan", "hinge", "relativistic", "wgan"}) {
    Options options = options_by_class("conv-steady");
    options.loss = {kind, 0.5, 0.0, 1.0, 2};
    options.optimizer.d_updates = 2;
    const Data data = small_dataset(options);
    Trainer trainer(context, options, data);
    train(trainer, 3);
    for (const float value : trainer.read_metrics()) {
      EXPECT_TRUE(std::isfinite(value)) << kind;
    }
  }
}

TEST(Classes, WhatCannotBeLearntIsRefused) {
  Context context = Context::cpu(1);
  Options options = options_by_class("conv-steady");
  options.data.synthetic_count = 7;
  const Data few = small_dataset(options);
  EXPECT_ERROR(Trainer(context, options, few), Error::Kind::data,
               "synthetic: no picture is of class 7 (Bottle), so it cannot be learnt; 1 of 8 classes have none");
  options.data.labels = false;
  EXPECT_NO_THROW(Trainer(context, options, few));

  const Data data = small_dataset(options_by_class("conv-steady"));
  Fields fields = fields_of(data);
  std::erase_if(fields["main"], [](const Field& field) { return field.name == "label"; });
  EXPECT_ERROR(make_recipe(options_by_class("conv-steady"), fields, 1), Error::Kind::usage,
               "recipe gan: needs the field label of the source main, which has only picture; data.labels = false "
               "trains without classes");
  options.data.synthetic_width = 6;
  const Data narrow = small_dataset(options);
  EXPECT_ERROR(Trainer(context, options, narrow), Error::Kind::usage,
               "conv-steady: pictures are 8x6, but height and width must be multiples of 4");
}

TEST(Classes, ACheckpointOfOtherClassesIsRefused) {
  Context context = Context::cpu(1);
  Options options = options_by_class("conv-steady");
  Data data = small_dataset(options);
  Trainer by_class(context, options, data);
  const TemporaryFolder folder;
  by_class.save(folder.path());
  options.data.labels = false;
  Trainer without(context, options, data);
  EXPECT_ERROR(without.load(folder.path()), Error::Kind::data, "generator/dense/weight is f32[10,48] there");

  options.data.labels = true;
  const std::string manifest = read_file(folder / "state.json");
  std::string renamed = manifest;
  renamed.replace(renamed.find("Bottle"), 6, "Button");
  write_file(folder / "state.json", renamed);
  EXPECT_ERROR(by_class.load(folder.path()), Error::Kind::data, "Button");
}

}  // namespace
}  // namespace duel::test
