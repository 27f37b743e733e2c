// The loss and accuracy of tags against the formulas in double, with unknown targets among them.
#include "engine/nn/tag_loss.h"

#include "engine/rewrite/differentiate.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace duel::test {
namespace {

constexpr std::array<float, 6> kLogits = {0.5F, -2.0F, 3.0F, -0.25F, 40.0F, 1.5F};
constexpr std::array<float, 6> kTargets = {1, 0, -1, 1, 0, -1};

struct Tags {
  SmallProgram small;
  Value logits = small.input({2, 3}), targets = small.input({2, 3});

  explicit Tags(std::span<const float> known) {
    std::copy(kLogits.begin(), kLogits.end(), small.data(0));
    std::copy(known.begin(), known.end(), small.data(1));
  }

  std::vector<std::vector<float>> run(const std::vector<Value>& values) {
    for (const Value value : values) {
      small.program.keep(value);
    }
    small.finish();
    small.run();
    std::vector<std::vector<float>> read;
    for (const Value value : values) {
      read.push_back(small.read(value));
    }
    return read;
  }
};

TEST(TagLoss, IsTheMeanOverWhatIsKnown) {
  Tags tags(kTargets);
  Program& p = tags.small.program;
  const Value loss = tag_loss(p, tags.logits, tags.targets);
  const Value gradient = differentiate(p, loss, {tags.logits})[0];
  const auto values = tags.run({loss, tag_accuracy(p, tags.logits, tags.targets), gradient});
  double expected = 0;
  for (std::size_t i = 0; i < kLogits.size(); ++i) {
    const double x = kLogits[i], y = kTargets[i];
    expected += y < 0 ? 0 : std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) - x * y;
    const double slope = y < 0 ? 0 : (1 / (1 + std::exp(-x)) - y) / 4;
    EXPECT_NEAR(values[2][i], slope, 1e-6) << i;
  }
  EXPECT_NEAR(values[0][0], expected / 4, 1e-5 * expected);
  EXPECT_NEAR(values[1][0], 2.0 / 4, 1e-6);  // 0.5 and -2 are told, -0.25 and 40 are not
}

TEST(TagLoss, OfNothingKnownIsZero) {
  Tags tags(std::array<float, 6>{-1, -1, -1, -1, -1, -1});
  Program& p = tags.small.program;
  const Value loss = tag_loss(p, tags.logits, tags.targets);
  const auto values = tags.run({loss, differentiate(p, loss, {tags.logits})[0]});
  EXPECT_EQ(values[0][0], 0);
  EXPECT_EQ(values[1], std::vector<float>(6, 0.0F));
}

}  // namespace
}  // namespace duel::test
