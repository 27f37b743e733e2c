// The table of classes that are taken for one another.
#include "host/data/confusion.h"

#include "host/data/memory_source.h"
#include "kernels/check.h"

#include <gtest/gtest.h>

#include <array>

namespace duel::test {
namespace {

constexpr std::array<std::int32_t, 5> kLabels = {0, 2, 2, 2, 0};
// The second row's two largest are equal: the first of them is called.
constexpr std::array<float, 15> kProbabilities = {0.8F, 0.1F, 0.1F, 0.4F, 0.2F, 0.4F, 0.0F, 0.0F,
                                                  1.0F, 0.1F, 0.7F, 0.2F, 0.1F, 0.6F, 0.3F};

MemorySource labelled() {
  return {"labelled", {{label_field("label", {"shoe", "bag", "a hat"}), bytes_of(kLabels)}}};
}

TEST(Confusion, CountsWhatIsCalledWhat) {
  const MemorySource source = labelled();
  const Confusion confusion = confusion_of(source, "label", kProbabilities);
  EXPECT_EQ(confusion.counts, (std::vector<std::vector<std::int64_t>>{{1, 1, 0}, {0, 0, 0}, {1, 1, 1}}));
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 2.0 / 5);
  EXPECT_DOUBLE_EQ(confusion.accuracy_of(0), 1.0 / 2);
  EXPECT_DOUBLE_EQ(confusion.accuracy_of(1), 0);  // of no row
  EXPECT_DOUBLE_EQ(confusion.accuracy_of(2), 1.0 / 3);
  EXPECT_EQ(to_text(confusion),
            "40.00 % of the pictures are called by their class; rows: the class, columns: what is called\n"
            "             0    1    2\n"
            "  0 shoe     1    1    0   50.0 %\n"
            "  1 bag      0    0    0    0.0 %\n"
            "  2 a hat    1    1    1   33.3 %");
}

TEST(Confusion, AnotherNumberOfProbabilitiesIsAnError) {
  const MemorySource source = labelled();
  EXPECT_THROW(confusion_of(source, "label", std::span(kProbabilities).first(12)), Error);
}

}  // namespace
}  // namespace duel::test
