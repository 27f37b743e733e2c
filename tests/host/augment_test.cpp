// The parts of `duel augment`: names of folders, counts that fill up, rows that are chosen, what a proof concludes.
#include "host/augment/chosen_rows.h"
#include "host/augment/proof.h"
#include "host/augment/training_set.h"
#include "host/data/open_dataset.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <cmath>

namespace duel {
namespace {

TEST(ClassFolders, CanBeFoldersAndAreDistinct) {
  EXPECT_EQ(
      class_folders({"bag", "T-shirt/top", "T-shirt-top", "BAG", ".hidden", "..", "", "labels.csv"}),
      (std::vector<std::string>{"bag", "T-shirt-top", "T-shirt-top-2", "BAG-2", "_hidden", "_.", "_", "labels.csv-2"}));
}

TEST(FillingCounts, BringEveryClassToTheLargest) {
  EXPECT_EQ(filling_counts({7, 3, 7, 1}), (std::vector<std::int64_t>{0, 4, 0, 6}));
  EXPECT_EQ(filling_counts({5, 5}), (std::vector<std::int64_t>{0, 0}));
}

TEST(ChosenRows, AreThoseOfTheirSources) {
  const Data data = test::small_dataset(test::small_options());
  const Source& all = main_source(data);
  const ChosenRows some(all, {{&all, 9, 1}, {&all, 2, 2}});
  ASSERT_EQ(some.count(), 2);
  for (const char* field : {"picture", "label"}) {
    const std::size_t bytes = field_named(some, field).row_bytes();
    std::vector<std::byte> chosen(bytes), its(bytes);
    some.read(0, field_index(some, field), chosen.data());
    all.read(9, field_index(all, field), its.data());
    EXPECT_EQ(chosen, its) << field;
  }
}

TEST(PairedDifference, IsShownBeyondTwoStandardErrors) {
  // Differences 1, 2, 3: mean 2, deviation 1, standard error 1 / sqrt(3).
  const PairedDifference clear = paired_difference({1, 5, 2}, {2, 7, 5});
  EXPECT_DOUBLE_EQ(clear.mean, 2);
  EXPECT_DOUBLE_EQ(clear.error, 1 / std::sqrt(3.0));
  EXPECT_EQ(clear.sign, 1);
  EXPECT_EQ(paired_difference({2, 7, 5}, {1, 5, 2}).sign, -1);
  EXPECT_EQ(paired_difference({0, 0, 0}, {-1, 1, 3}).sign, 0);  // 1 +- 1.15
  EXPECT_EQ(paired_difference({0, 0}, {0, 0}).sign, 0);
  EXPECT_EQ(paired_difference({0}, {1}).sign, 0);
  EXPECT_DOUBLE_EQ(mean_and_spread({1, 2, 4, 5}).deviation, std::sqrt(10 / 3.0));
}

std::string verdict(const std::vector<double>& real, const std::vector<double>& both,
                    const std::vector<double>& classic) {
  const std::vector<double> few(real.size(), 0.0);
  return verdict_of({{"real", 10, 1, 0, few},
                     {"both", 10, 1, 1, few},
                     {"classic", 10, 1, 0, few},
                     {"real", 100, 9, 0, real},
                     {"both", 100, 9, 1, both},
                     {"classic", 100, 9, 0, classic},
                     {"generated", 0, 0, 1, few}});
}

TEST(Verdict, SaysWhatTheSeedsShow) {
  const std::vector<double> low = {0.50, 0.51, 0.52}, middle = {0.60, 0.61, 0.63}, high = {0.70, 0.71, 0.73};
  EXPECT_EQ(verdict(low, high, middle),
            "worth it: generated pictures beside all real ones change the accuracy by +20.33 points (standard error "
            "0.33), more than classic augmentation does");
  EXPECT_TRUE(verdict(low, middle, high).starts_with("better than none, yet not worth it"));
  EXPECT_NE(verdict(low, middle, middle).find("no difference from classic augmentation"), std::string::npos);
  EXPECT_TRUE(verdict(high, low, low).starts_with("not worth it"));
  EXPECT_TRUE(verdict(low, {0.40, 0.51, 0.63}, low).starts_with("no difference that these seeds can show"));
  EXPECT_TRUE(verdict({0.1}, {0.9}, {0.2}).starts_with("one seed cannot show"));
}

}  // namespace
}  // namespace duel
