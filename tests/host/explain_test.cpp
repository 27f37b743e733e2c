// The methods of `duel explain` against what is known of small networks: derivatives by differences, linear networks,
// maps by hand, and that maps change with the weights.
#include "host/explain/deletion_insertion.h"
#include "host/explain/grad_cam.h"
#include "host/explain/heat_map.h"
#include "host/explain/input_gradients.h"
#include "host/explain/integrated_gradients.h"
#include "host/explain/smooth_gradients.h"
#include "host/explain/unit_views.h"
#include "tests/support/small_answer.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

namespace duel::test {
namespace {

constexpr int kHeight = 5, kWidth = 4, kChannels = 3, kFilters = 6, kLogits = 3;
constexpr std::size_t kNumbers = std::size_t{kHeight} * kWidth * kChannels;
constexpr std::size_t kPixels = std::size_t{kHeight} * kWidth;

std::vector<double> in_double(std::span<const float> values) {
  return {values.begin(), values.end()};
}

// Asks about each logit in turn.
std::vector<Question> questions_in_turn(int count) {
  std::vector<Question> asked;
  for (int i = 0; i < count; ++i) {
    asked.push_back({i % kLogits, 0});
  }
  return asked;
}

struct Convolutional : SmallAnswer {
  Convolutional() : SmallAnswer(kHeight, kWidth, kChannels, kLogits) {
    make_convolutional(*this, kChannels, kFilters, kLogits);
  }
  ConvolutionalReference reference() const {
    return {kHeight, kWidth, kChannels, kFilters, kLogits, values("w"), values("v")};
  }
};

struct Linear : SmallAnswer {
  Linear() : SmallAnswer(kHeight, kWidth, kChannels, kLogits) {
    make_linear(*this, {1, kHeight, kWidth, kChannels}, kLogits);
  }
  // Of number i for a logit.
  float weight(std::size_t i, int logit) const { return values("w")[i * kLogits + static_cast<std::size_t>(logit)]; }
};

TEST(Explain, InputGradientsAreCentralDifferences) {
  Convolutional answer;
  const AnsweringNetwork network = answer.network();
  constexpr int kCount = 40;  // more than a batch
  const std::vector<float> pictures = answer.pictures(kCount);
  const std::vector<Question> asked = questions_in_turn(kCount);
  const std::vector<float> gradients = input_gradients(answer.context(), network, {pictures, asked});
  ASSERT_EQ(gradients.size(), kCount * kNumbers);
  const ConvolutionalReference reference = answer.reference();
  for (const std::size_t row : {0U, 1U, 2U, 35U}) {
    std::vector<double> x = in_double(std::span(pictures).subspan(row * kNumbers, kNumbers));
    for (std::size_t i = 0; i < kNumbers; ++i) {
      constexpr double kStep = 1e-5;
      const double middle = x[i];
      x[i] = middle + kStep;
      const double above = reference.logit(x, asked[row].logit);
      x[i] = middle - kStep;
      const double below = reference.logit(x, asked[row].logit);
      x[i] = middle;
      EXPECT_NEAR(static_cast<double>(gradients[row * kNumbers + i]), (above - below) / (2 * kStep), 2e-7)
          << row << " " << i;
    }
    const std::vector<float> logits = logits_of(answer.context(), network, {pictures, asked});
    EXPECT_NEAR(static_cast<double>(logits[row * kLogits + static_cast<std::size_t>(asked[row].logit)]),
                reference.logit(x, asked[row].logit), 1e-6);
  }
}

TEST(Explain, APictureIsExplainedAlikeAloneAndAmongOthers) {
  Convolutional answer;
  const AnsweringNetwork network = answer.network();
  const std::vector<float> pictures = answer.pictures(7);
  const std::vector<Question> asked = questions_in_turn(7);
  const Questions all{pictures, asked}, alone{std::span(pictures).subspan(5 * kNumbers, kNumbers), {&asked[5], 1}};
  const auto row = [](const std::vector<float>& values) {
    return std::vector<float>(values.begin() + 5 * kNumbers, values.begin() + 6 * kNumbers);
  };
  Context& context = answer.context();
  EXPECT_EQ(row(input_gradients(context, network, all)), input_gradients(context, network, alone));
  const Smoothing smoothing{5, 0.2, 3};
  EXPECT_EQ(row(smooth_gradients(context, network, all, smoothing)),
            smooth_gradients(context, network, alone, smoothing));
  EXPECT_EQ(row(integrated_gradients(context, network, all, {9, Baseline::blurred}).attributions),
            integrated_gradients(context, network, alone, {9, Baseline::blurred}).attributions);
}

TEST(Explain, OfALinearNetworkTheGradientIsItsWeightsAndAttributionsAreWeightsTimesThePicture) {
  Linear answer;
  const AnsweringNetwork network = answer.network();
  const std::vector<float> pictures = answer.pictures(3);
  const std::vector<Question> asked = questions_in_turn(3);
  const Questions questions{pictures, asked};
  Context& context = answer.context();
  const std::vector<float> gradients = input_gradients(context, network, questions);
  const std::vector<float> smooth = smooth_gradients(context, network, questions, {25, 0.3, 1});
  const IntegratedGradients of_grey = integrated_gradients(context, network, questions, {50, Baseline::grey});
  const IntegratedGradients of_black = integrated_gradients(context, network, questions, {50, Baseline::black});
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const float w = answer.weight(i % kNumbers, asked[i / kNumbers].logit), x = pictures[i];
    EXPECT_EQ(gradients[i], w) << i;
    EXPECT_EQ(smooth[i], w) << i;
    EXPECT_FLOAT_EQ(of_grey.attributions[i], w * x) << i;
    EXPECT_NEAR(of_black.attributions[i], w * (x + 1), 1e-6F) << i;
  }
  for (std::size_t row = 0; row < 3; ++row) {
    EXPECT_NEAR(of_grey.completeness[row].gap().value(), 0, 1e-5);
    EXPECT_NEAR(of_black.completeness[row].gap().value(), 0, 1e-5);
  }
  EXPECT_EQ(network.map().rank(), 0);  // it keeps no places
  EXPECT_ERROR(grad_cam(context, network, questions), Error::Kind::internal, "has no map");
}

TEST(Explain, IntegratedGradientsAreCompleteTheMoreThePoints) {
  Convolutional answer;
  const AnsweringNetwork network = answer.network();
  const std::vector<float> pictures = answer.pictures(6);
  const std::vector<Question> asked = questions_in_turn(6);
  for (const Baseline baseline : {Baseline::black, Baseline::grey, Baseline::blurred}) {
    const auto gaps = [&](int points) {
      double worst = 0;
      const IntegratedGradients found =
          integrated_gradients(answer.context(), network, {pictures, asked}, {points, baseline});
      for (std::size_t row = 0; row < 6; ++row) {
        const std::vector<double> x = in_double(std::span(pictures).subspan(row * kNumbers, kNumbers));
        const std::vector<float> its =
            baseline_of(baseline, std::span(pictures).subspan(row * kNumbers, kNumbers), network.picture());
        const double difference =
            answer.reference().logit(x, asked[row].logit) - answer.reference().logit(in_double(its), asked[row].logit);
        EXPECT_NEAR(found.completeness[row].difference, difference, 1e-6);
        worst = std::max(worst, std::abs(found.completeness[row].sum - difference));
      }
      return worst;
    };
    EXPECT_LT(gaps(50), 1e-3);
    EXPECT_LT(gaps(50), gaps(2) / 20);
  }
}

TEST(Explain, BaselinesAreWhatTheyAreCalledAndKeepOpacity) {
  const Shape shape{1, 8, 9, 4};
  std::vector<float> picture(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < picture.size(); ++i) {
    picture[i] = i % 4 == 3 ? 0.25F : (i / 4 % 2 == 0 ? 0.5F : -0.5F);  // columns in turn
  }
  const std::vector<float> black = baseline_of(Baseline::black, picture, shape),
                           grey = baseline_of(Baseline::grey, picture, shape),
                           blurred = baseline_of(Baseline::blurred, picture, shape);
  for (std::size_t i = 0; i < picture.size(); ++i) {
    EXPECT_EQ(black[i], i % 4 == 3 ? 0.25F : -1.0F);
    EXPECT_EQ(grey[i], i % 4 == 3 ? 0.25F : 0.0F);
  }
  const std::size_t inside = std::size_t{4 * (4 * 9 + 4)};
  EXPECT_LT(std::abs(blurred[inside]), 0.1F);  // stripes of one pixel are gone
  EXPECT_EQ(blurred[inside + 3], 0.25F);
  const std::vector<float> even(picture.size(), 0.5F);
  for (const float value : baseline_of(Baseline::blurred, even, shape)) {
    EXPECT_FLOAT_EQ(value, 0.5F);
  }
}

TEST(Explain, SmoothGradientsAreTheMeanOverNoiseOfTheirSeed) {
  Convolutional answer;
  const AnsweringNetwork network = answer.network();
  const std::vector<float> pictures = answer.pictures(1);
  const std::array asked = {Question{1, 0}};
  const Questions questions{pictures, asked};
  Context& context = answer.context();
  EXPECT_EQ(smooth_gradients(context, network, questions, {4, 0, 9}), input_gradients(context, network, questions));
  const std::vector<float> one = smooth_gradients(context, network, questions, {50, 0.15, 9});
  EXPECT_EQ(smooth_gradients(context, network, questions, {50, 0.15, 9}), one);
  EXPECT_NE(smooth_gradients(context, network, questions, {50, 0.15, 10}), one);
  // Two seeds' means of many lie nearer together than those of one sample.
  const auto apart = [&](int samples) {
    const std::vector<float> a = smooth_gradients(context, network, questions, {samples, 0.15, 1}),
                             b = smooth_gradients(context, network, questions, {samples, 0.15, 2});
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum += std::pow(static_cast<double>(a[i] - b[i]), 2);
    }
    return std::sqrt(sum);
  };
  EXPECT_LT(apart(100), apart(1) / 4);
}

TEST(Explain, GradCamWeighsTheMapByTheMeansOfItsGradients) {
  Convolutional answer;
  const AnsweringNetwork network = answer.network();
  ASSERT_EQ(network.map(), Shape({1, kHeight, kWidth, kFilters}));
  const std::vector<float> pictures = answer.pictures(4);
  const std::vector<Question> asked = questions_in_turn(4);
  const std::vector<float> found = grad_cam(answer.context(), network, {pictures, asked});
  ASSERT_EQ(found.size(), 4 * kPixels);
  int zeros = 0;
  for (std::size_t row = 0; row < 4; ++row) {
    const std::vector<double> map =
        answer.reference().map(in_double(std::span(pictures).subspan(row * kNumbers, kNumbers)));
    for (std::size_t place = 0; place < kPixels; ++place) {
      double sum = 0;
      for (std::size_t k = 0; k < kFilters; ++k) {
        // d logit / d A is v / places everywhere, and so is its mean.
        sum += map[place * kFilters + k] / kPixels *
               static_cast<double>(answer.values("v")[k * kLogits + static_cast<std::size_t>(asked[row].logit)]);
      }
      EXPECT_NEAR(static_cast<double>(found[row * kPixels + place]), std::max(sum, 0.0), 1e-7) << row << " " << place;
      zeros += sum <= 0 ? 1 : 0;
    }
  }
  EXPECT_GT(zeros, 0);
  EXPECT_LT(zeros, static_cast<int>(4 * kPixels));
}

TEST(Explain, AUnitAddsToTheLogitWhatItsChannelDoes) {
  Convolutional answer;
  constexpr int kCount = 35;  // two batches
  const std::vector<float> pictures = answer.pictures(kCount);
  const std::vector<Question> asked = questions_in_turn(kCount);
  UnitViews views(answer.context(), answer.model(), Parameters::Block::average);
  views.add(answer.context(), {std::span(pictures).first(20 * kNumbers), std::span(asked).first(20)});
  views.add(answer.context(), {std::span(pictures).subspan(20 * kNumbers), std::span(asked).subspan(20)});
  const std::vector<Unit> units = views.units(3);
  ASSERT_EQ(units.size(), std::size_t{kFilters});
  for (std::size_t k = 0; k < kFilters; ++k) {
    std::vector<std::pair<double, std::int64_t>> order;
    double activation = 0, effect = 0;
    for (std::size_t row = 0; row < kCount; ++row) {
      const std::vector<double> map =
          answer.reference().map(in_double(std::span(pictures).subspan(row * kNumbers, kNumbers)));
      double mean = 0;
      for (std::size_t place = 0; place < kPixels; ++place) {
        mean += map[place * kFilters + k] / kPixels;
      }
      const double its =
          mean * static_cast<double>(answer.values("v")[k * kLogits + static_cast<std::size_t>(asked[row].logit)]);
      order.emplace_back(-mean, static_cast<std::int64_t>(row));
      activation += mean / kCount;
      effect += its / kCount;
    }
    std::sort(order.begin(), order.end());
    EXPECT_EQ(units[k].channel, static_cast<int>(k));
    EXPECT_NEAR(units[k].activation, activation, 1e-6);
    EXPECT_NEAR(units[k].effect, effect, 1e-6);
    ASSERT_EQ(units[k].strongest.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(units[k].strongest[i].picture, order[i].second) << k;
      EXPECT_NEAR(units[k].strongest[i].activation, -order[i].first, 1e-6);
    }
  }
  const std::vector<float> channel =
      views.channel_of(answer.context(), {std::span(pictures).first(kNumbers), std::span(asked).first(1)}, 2);
  const std::vector<double> map = answer.reference().map(in_double(std::span(pictures).first(kNumbers)));
  ASSERT_EQ(channel.size(), kPixels);
  for (std::size_t place = 0; place < kPixels; ++place) {
    EXPECT_NEAR(static_cast<double>(channel[place]), map[place * kFilters + 2], 1e-6);
  }
}

// A network that goes by one pixel alone.
TEST(Explain, CurvesTellAMapThatKnowsWhatTheNetworkGoesBy) {
  SmallAnswer answer(4, 5, 1, 1);
  constexpr std::size_t kSeen = 13, kAll = 20;
  answer.record([](Program& program, Value pictures) {
    const Value rows = program.reshape(pictures, {program.shape(pictures)[0], static_cast<int>(kAll)});
    return ops::affine(program, ops::slice_columns(program, rows, static_cast<int>(kSeen), 1), 1.0);
  });
  const AnsweringNetwork network = answer.network(Derivatives::none);
  std::vector<float> picture(kAll, 0.0F);
  picture[kSeen] = 1;
  const std::array asked = {Question{}};
  const Probability probability = [](std::span<const float> logits, int) { return static_cast<double>(logits[0]); };
  std::vector<float> knows(kAll, 0.0F), is_wrong(kAll, 1.0F);
  knows[kSeen] = 1;
  is_wrong[kSeen] = 0;
  const FaithfulnessCurves right =
      deletion_insertion(answer.context(), network, {picture, asked}, knows, 20, probability);
  const FaithfulnessCurves wrong =
      deletion_insertion(answer.context(), network, {picture, asked}, is_wrong, 20, probability);
  // Grey is 0: the pixel is deleted with the first of the twenty, or with the last.
  ASSERT_EQ(right.deletion.size(), 21U);
  EXPECT_EQ(right.deletion[0], 1);
  EXPECT_EQ(right.deletion[1], 0);
  EXPECT_NEAR(right.deletion_area, 0.5 / 20, 1e-12);
  EXPECT_EQ(wrong.deletion[19], 1);
  EXPECT_EQ(wrong.deletion[20], 0);
  EXPECT_NEAR(wrong.deletion_area, 19.5 / 20, 1e-12);
  const auto left = static_cast<double>(baseline_of(Baseline::blurred, picture, network.picture())[kSeen]);
  EXPECT_LT(left, 0.7);
  EXPECT_NEAR(right.insertion_area, 1 - (1 - left) * 0.5 / 20, 1e-7);
  EXPECT_NEAR(wrong.insertion_area, left + (1 - left) * 0.5 / 20, 1e-7);
}

TEST(Explain, MapsAreEnlargedBetweenTheMiddlesOfPlaces) {
  const std::vector<float> map = {0, 1, 2, 3};
  EXPECT_EQ(enlarged_map(map, 2, 2, 2, 2), map);
  const std::vector<float> larger = enlarged_map(map, 2, 2, 4, 4);
  ASSERT_EQ(larger.size(), 16U);
  const std::vector<float> expected = {0,    0.25F, 0.75F, 1,    0.5F, 0.75F, 1.25F, 1.5F,
                                       1.5F, 1.75F, 2.25F, 2.5F, 2,    2.25F, 2.75F, 3};
  EXPECT_EQ(larger, expected);
}

TEST(Explain, ColoursBeginAtNothingAndGrowLighter) {
  double before = -1;
  for (int i = 0; i <= 64; ++i) {
    const auto rgb = heat_colour(HeatColours::strength, i / 64.0);
    const double luma = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
    EXPECT_GT(luma, before) << i;
    before = luma;
  }
  EXPECT_EQ(heat_colour(HeatColours::direction, 0), (std::array<std::uint8_t, 3>{255, 255, 255}));
  const Shape shape{1, 1, 2, 1};
  const std::vector<float> picture = {1, -1};
  // A map of zeros shows the faded picture.
  const Picture nothing = heat_over(std::vector<float>{0, 0}, HeatColours::direction, 0, picture, shape);
  EXPECT_EQ(nothing.pixels, (std::vector<std::uint8_t>{255, 255, 255, 115, 115, 115}));
  const Picture both = heat_over(std::vector<float>{2, -2}, HeatColours::direction, 2, picture, shape);
  EXPECT_GT(both.pixels[0], both.pixels[2] + 100);  // red
  EXPECT_GT(both.pixels[5], both.pixels[3] + 100);  // blue
  EXPECT_EQ(full_strength(std::vector<float>(200, 0.0F)), 0);
  std::vector<float> ramp(1000);
  std::iota(ramp.begin(), ramp.end(), 1.0F);
  EXPECT_EQ(full_strength(ramp), 990);
}

}  // namespace
}  // namespace duel::test
