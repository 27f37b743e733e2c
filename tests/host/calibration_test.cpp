// Whether probabilities mean what they say, on rows that can be counted by hand.
#include "host/data/calibration.h"

#include "host/data/memory_source.h"
#include "kernels/check.h"

#include <gtest/gtest.h>

#include <array>

namespace duel::test {
namespace {

// Called by 1, 0.95, 0.57 and 0.5, of two classes; the second is wrong.
constexpr std::array<std::int32_t, 4> kLabels = {0, 1, 1, 0};
constexpr std::array<float, 8> kProbabilities = {1.0F, 0.0F, 0.95F, 0.05F, 0.43F, 0.57F, 0.5F, 0.5F};

TEST(Calibration, IsTheDistanceOfPromiseAndOutcome) {
  const MemorySource source("rows", {{label_field("label", {"shoe", "bag"}), bytes_of(kLabels)}});
  const Calibration found = calibration_of(source, "label", kProbabilities);
  EXPECT_EQ(found.rows(), 4);
  EXPECT_EQ(found.bins[14].rows, 2);  // (14/15, 1]
  EXPECT_EQ(found.bins[8].rows, 1);   // (8/15, 9/15]
  EXPECT_EQ(found.bins[7].rows, 1);   // the first of equal ones is called: rightly
  EXPECT_DOUBLE_EQ(found.accuracy(), 0.75);
  EXPECT_NEAR(found.confidence(), (1 + 0.95 + 0.57 + 0.5) / 4, 1e-7);
  EXPECT_NEAR(found.bins[14].gap(), 0.975 - 0.5, 1e-7);
  EXPECT_NEAR(found.expected_error(), (2 * 0.475 + 0.43 + 0.5) / 4, 1e-7);
  EXPECT_NEAR(found.greatest_error(), 0.5, 1e-7);
  EXPECT_NE(to_text(found).find("promise 75.5 % and 75.0 % are right, too much; expected error 0.470 over 15 bins"),
            std::string::npos)
      << to_text(found);
}

TEST(Calibration, AnotherNumberOfProbabilitiesIsAnError) {
  const MemorySource source("rows", {{label_field("label", {"shoe", "bag"}), bytes_of(kLabels)}});
  EXPECT_THROW(calibration_of(source, "label", std::span(kProbabilities).first(6)), Error);
}

}  // namespace
}  // namespace duel::test
