// A real training on Fashion-MNIST: 200 steps of the steady preset at batch 16. Losses stay finite, and the pictures
// come nearer to the data than those of step 0.
//
// Measure: mean Euclidean distance in pixels, scaled to [-1,1], from each generated picture to the nearest of 1,000
// real ones, and from each of 200 real ones to the nearest generated. The first falls when pictures look like some
// product, the second only when they cover the data: a generator that draws a single shape fails it.
#include "host/config/configuration.h"
#include "host/data/open_dataset.h"
#include "host/sample/sampler.h"
#include "host/train/trainer.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

namespace duel::test {
namespace {

using Pictures = std::vector<std::vector<float>>;

constexpr std::size_t kPixels = 28 * 28;

Pictures real_pictures(const Data& dataset, std::size_t first, std::size_t count) {
  const Source& source = main_source(dataset);
  Pictures pictures(count, std::vector<float>(kPixels));
  std::vector<std::uint8_t> bytes(kPixels);
  for (std::size_t n = 0; n < count; ++n) {
    source.read(static_cast<std::int64_t>(first + n), field_index(source, "picture"),
                reinterpret_cast<std::byte*>(bytes.data()));
    for (std::size_t i = 0; i < kPixels; ++i) {
      pictures[n][i] = static_cast<float>(bytes[i]) / 127.5F - 1.0F;
    }
  }
  return pictures;
}

Pictures generated_pictures(Context& context, Sampler& sampler, int count) {
  const std::vector<float> values = sampler.draw(context, 0, count);
  Pictures pictures;
  for (auto begin = values.begin(); begin != values.end(); begin += kPixels) {
    pictures.emplace_back(begin, begin + kPixels);
  }
  return pictures;
}

double mean_distance_to_nearest(const Pictures& from, const Pictures& to) {
  double sum = 0;
  for (const auto& a : from) {
    float nearest = INFINITY;
    for (const auto& b : to) {
      float squares = 0;
      for (std::size_t i = 0; i < kPixels; ++i) {
        squares += (a[i] - b[i]) * (a[i] - b[i]);
      }
      nearest = std::min(nearest, squares);
    }
    sum += std::sqrt(static_cast<double>(nearest));
  }
  return sum / static_cast<double>(from.size());
}

std::vector<float> mean_picture(const Pictures& pictures) {
  std::vector<float> mean(kPixels, 0.0F);
  for (const auto& picture : pictures) {
    for (std::size_t i = 0; i < kPixels; ++i) {
      mean[i] += picture[i] / static_cast<float>(pictures.size());
    }
  }
  return mean;
}

TEST(RealTraining, PicturesComeNearerToTheData) {
  Options options = preset("steady");
  options.train.batch = 16;
  options.seed = 3;
  Data dataset;
  try {
    dataset = open_dataset(options.data);
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  Context context = Context::cpu(1);  // two threads would wait for each other where other tests run beside
  Trainer trainer(context, options, dataset);
  Sampler sampler(context, trainer.sampling(), Parameters::Block::average, 1);
  const Pictures many = real_pictures(dataset, 0, 1000), few = real_pictures(dataset, 1000, 200);
  const Pictures before = generated_pictures(context, sampler, 200);
  for (int step = 0; step < 200; ++step) {
    trainer.step();
    for (const float value : trainer.read_metrics()) {
      ASSERT_TRUE(std::isfinite(value)) << "at step " << step;
    }
  }
  const Pictures after = generated_pictures(context, sampler, 200);
  const double likeness_before = mean_distance_to_nearest(before, many),
               likeness = mean_distance_to_nearest(after, many);
  const double coverage_before = mean_distance_to_nearest(few, before), coverage = mean_distance_to_nearest(few, after);
  const double to_mean = mean_distance_to_nearest(few, {mean_picture(many)});
  std::cout << "generated to nearest real: " << likeness_before << " -> " << likeness
            << "; real to nearest generated: " << coverage_before << " -> " << coverage << ", to the mean picture "
            << to_mean << "\n";
  EXPECT_LT(likeness, 0.6 * likeness_before);
  EXPECT_LT(coverage, to_mean);
  EXPECT_LT(coverage, coverage_before);
}

}  // namespace
}  // namespace duel::test
