// What goes wrong in a training is named once, when it begins, with what to try; again only after it had gone.
#include "host/run/health.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace duel {
namespace {

using Row = std::vector<float>;

// Feeds rows of steps `first` to `last` and collects what is noted.
std::vector<HealthNote> fed(HealthOfRows& health, int first, int last, const std::function<Row(int)>& row) {
  std::vector<HealthNote> all;
  for (int step = first; step <= last; ++step) {
    for (HealthNote& note : note_row(health, step, row(step))) {
      all.push_back(std::move(note));
    }
  }
  return all;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST(Health, NamesADiscriminatorThatWinsOnce) {
  HealthOfRows health{.names = {"d_accuracy_real", "d_accuracy_fake"}};
  EXPECT_TRUE(fed(health, 1, 199, [](int) { return Row{1, 1}; }).empty());
  const auto begins = fed(health, 200, 900, [](int) { return Row{1, 1}; });
  ASSERT_EQ(begins.size(), 1U);
  EXPECT_TRUE(begins[0].ailment == Ailment::discriminator_wins && begins[0].begins);
  EXPECT_TRUE(
      begins[0].text.starts_with("step 200: the discriminator wins: in the last 200 steps it told 100.0 % of both"));
  EXPECT_TRUE(has(begins[0].text, "try loss.r1 and loss.r2")) << begins[0].text;
  const auto goes = fed(health, 901, 1100, [](int) { return Row{0.95F, 1}; });
  ASSERT_EQ(goes.size(), 1U);
  EXPECT_TRUE(goes[0].ailment == Ailment::discriminator_wins && !goes[0].begins && goes[0].text.empty());
  EXPECT_EQ(fed(health, 1101, 1400, [](int) { return Row{1, 1}; }).size(), 1U);
}

TEST(Health, BothKindsOrThePairsMustBeTold) {
  HealthOfRows one{.names = {"d_accuracy_real", "d_accuracy_fake"}};
  EXPECT_TRUE(fed(one, 1, 500, [](int) { return Row{0.8F, 1}; }).empty());
  HealthOfRows critic{.names = {"d_accuracy_real", "d_accuracy_fake"}, .has_opinions = false};
  EXPECT_TRUE(fed(critic, 1, 500, [](int) { return Row{1, 1}; }).empty());
  HealthOfRows pairs{.names = {"d_pairs_right"}};
  EXPECT_TRUE(fed(pairs, 1, 500, [](int) { return Row{0.98F}; }).empty());
  const auto won = fed(pairs, 501, 900, [](int) { return Row{1}; });
  ASSERT_EQ(won.size(), 1U);
  EXPECT_TRUE(has(won[0].text, "% of the pairs rightly")) << won[0].text;
}

TEST(Health, NamesAGeneratorWithoutAGradient) {
  HealthOfRows health{.names = {"g_grad_norm"}};
  EXPECT_TRUE(fed(health, 1, 300, [](int step) { return Row{2 + 0.1F * static_cast<float>(step % 7)}; }).empty());
  EXPECT_TRUE(fed(health, 301, 600, [](int) { return Row{0.02F}; }).empty());
  const auto frozen = fed(health, 601, 900, [](int) { return Row{0.0005F}; });
  ASSERT_EQ(frozen.size(), 1U);
  EXPECT_EQ(frozen[0].ailment, Ailment::generator_frozen);
  EXPECT_TRUE(has(frozen[0].text, "its gradient's norm fell to 0.0005 from 2.3")) << frozen[0].text;
  int thawed = 0;
  for (const HealthNote& note : fed(health, 901, 1200, [](int) { return Row{1}; })) {
    thawed += note.ailment == Ailment::generator_frozen && !note.begins ? 1 : 0;
  }
  EXPECT_EQ(thawed, 1);
  HealthOfRows dead{.names = {"g_grad_norm"}};
  EXPECT_EQ(fed(dead, 1, 300, [](int) { return Row{0}; }).size(), 1U);
}

TEST(Health, NamesASpike) {
  HealthOfRows health{.names = {"d_loss", "d_grad_norm"}};
  const auto usual = [](int step) { return Row{static_cast<float>(step), 1 + 0.5F * static_cast<float>(step % 3)}; };
  EXPECT_TRUE(fed(health, 1, 300, usual).empty());
  const auto spikes = fed(health, 301, 310, [](int step) { return Row{0, step % 5 == 0 ? 90.0F : 2.0F}; });
  ASSERT_EQ(spikes.size(), 1U);
  EXPECT_TRUE(
      spikes[0].text.starts_with("step 305: gradients spike: d_grad_norm is 90, 60 times the median of the 200"))
      << spikes[0].text;
  EXPECT_TRUE(has(spikes[0].text, "optimizer.clip_norm = 7.5"));
  const auto later = fed(health, 311, 600, usual);
  ASSERT_EQ(later.size(), 1U);
  EXPECT_FALSE(later[0].begins);
}

TEST(Health, LeavesStepsOutThatMeasuredNothing) {
  HealthOfRows health{.names = {"penalty_grad_norm"}};
  const auto every_fourth = [](int step) {
    return Row{step % 4 == 0 ? 1.0F : std::numeric_limits<float>::quiet_NaN()};
  };
  EXPECT_TRUE(fed(health, 1, 800, every_fourth).empty());
  EXPECT_EQ(fed(health, 801, 801, [](int) { return Row{100}; }).size(), 1U);
}

TEST(Health, NamesPicturesThatAreAllAlike) {
  HealthOfSheets health;
  EXPECT_TRUE(note_sheet(health, 0, 0.9).empty());  // drawn by random weights
  EXPECT_TRUE(note_sheet(health, 500, 0.1).empty());
  EXPECT_TRUE(note_sheet(health, 750, 0.6).empty());
  const auto collapsed = note_sheet(health, 1000, 0.1);
  ASSERT_EQ(collapsed.size(), 1U);
  EXPECT_TRUE(has(collapsed[0].text, "step 1000: kinds collapse: generated pictures differ only 0.10 times"));
  EXPECT_TRUE(note_sheet(health, 1250, 0.3).empty());
  EXPECT_EQ(note_sheet(health, 1500, 0.7).size(), 1U);
  HealthOfSheets never;
  EXPECT_TRUE(note_sheet(never, 1999, 0.01).empty());
  EXPECT_EQ(note_sheet(never, 2000, 0.01).size(), 1U);
}

TEST(Health, MeasuresSpreadWithinGroups) {
  // Two groups that are far from each other: within one the elements deviate by 1 and 0, within the other by 2 and 2.
  const std::vector<float> pictures = {0, 5, 100, 100, 2, 5, 104, 104, 77, 77};
  EXPECT_DOUBLE_EQ(spread_within(pictures, std::vector<int>{0, 1, 0, 1, 2}), (0.5 + 2) / 2);
  EXPECT_EQ(spread_within({}, {}), 0);
  EXPECT_EQ(spread_within(std::vector<float>{1, 2}, std::vector<int>{0, 1}), 0);
}

TEST(Health, HasAName) {
  EXPECT_STREQ(ailment_name(Ailment::discriminator_wins), "discriminator_wins");
  EXPECT_STREQ(ailment_name(Ailment::collapse), "collapse");
}

}  // namespace
}  // namespace duel
