// Average precision, precision, recall and F1 of tags, on rows that can be counted by hand.
#include "host/data/tag_scores.h"

#include "host/data/memory_source.h"

#include <gtest/gtest.h>

#include <array>

namespace duel::test {
namespace {

// Rows of the tags red, long, flat: known of all, of some, never absent.
constexpr std::array<float, 15> kTargets = {0, 1, 1, 0, -1, 1, 1, 0, 1, 1, -1, 1, 0, 1, -1};
constexpr std::array<float, 15> kProbabilities = {0.1F, 0.9F, 0.2F, 0.4F, 0.8F, 0.9F, 0.35F, 0.9F,
                                                  0.9F, 0.8F, 0.1F, 0.9F, 0.3F, 0.5F, 0.9F};

TagScores scores() {
  const Field field{"attributes", FieldKind::attributes, {1, 3}, DType::f32, {}, {"red", "long", "flat"}};
  return tag_scores(MemorySource("rows", {{field, bytes_of(kTargets)}}), "attributes", kProbabilities);
}

TEST(TagScores, AreThoseOfTheKnownRows) {
  const TagScores found = scores();
  const TagScore &red = found.tags[0], &sleeve = found.tags[1], &flat = found.tags[2];
  // In order: 0.8 has it, 0.4 not, 0.35 has it, 0.3 and 0.1 not. Precision 1 at the first, 2/3 at the second.
  EXPECT_EQ(red.known, 5);
  EXPECT_EQ(red.has, 2);
  EXPECT_DOUBLE_EQ(red.average_precision, 0.5 * 1 + 0.5 * 2 / 3);
  EXPECT_DOUBLE_EQ(red.precision, 1);
  EXPECT_DOUBLE_EQ(red.recall, 0.5);
  EXPECT_DOUBLE_EQ(red.f1, 2.0 / 3);
  // Two rows of 0.9, one of which has it, are one step; then that of 0.5.
  EXPECT_EQ(sleeve.known, 3);
  EXPECT_DOUBLE_EQ(sleeve.average_precision, 0.5 * 1 / 2 + 0.5 * 2 / 3);
  EXPECT_FALSE(flat.is_measured());
  EXPECT_DOUBLE_EQ(found.mean_average_precision(), (red.average_precision + sleeve.average_precision) / 2);
  EXPECT_DOUBLE_EQ(found.mean_f1(), (2.0 / 3 + 0.8) / 2);
  EXPECT_NE(to_text(found).find("every picture has it"), std::string::npos) << to_text(found);
}

}  // namespace
}  // namespace duel::test
