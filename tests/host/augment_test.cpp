// The parts of `duel augment`: names of folders, counts that fill up.
#include "host/augment/training_set.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace duel
