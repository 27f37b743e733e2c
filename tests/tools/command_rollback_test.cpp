// A run that becomes non-finite goes on from its last checkpoint with half the learning rates, where that was asked
// for.
#include "tests/support/bytes.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>

#include <string>

namespace duel::test {
namespace {

// A critic whose slope grows with its deep weights, until the square of it is no float any more; the penalty that looks
// at it weighs nothing.
std::string growing(int layers) {
  std::string widths;
  for (int i = 0; i < layers; ++i) {
    widths += i == 0 ? "32" : ",32";
  }
  return "--preset classic " + kSmall + "--set model.discriminator_widths=[" + widths +
         "] --set loss.kind=wgan --set loss.r1=1e-30 --set optimizer.discriminator_learning_rate=1 "
         "--set output.samples_every=0 --steps 25 ";
}

class Rollback : public Command {
protected:
  Bytes weights(const std::string& run) const {
    return read_bytes(folder_ / (run + "/checkpoints/step_000000025/state.safetensors"));
  }
};

TEST_F(Rollback, GoesOnFromTheLastCheckpointAsAPersonWould) {
  const std::string options = growing(6) + "--set output.checkpoint_every=15 ";
  const Outcome alone = duel("train --out alone --on-nonfinite rollback " + options);
  ASSERT_EQ(alone.exit_code, 0) << alone.output;
  EXPECT_NE(alone.output.find("rollback 1 of 3: goes on with half the learning rates"), std::string::npos);
  EXPECT_NE(alone.output.find("changed: optimizer.learning_rate"), std::string::npos) << alone.output;
  EXPECT_EQ(alone.output.find("rollback 2"), std::string::npos) << alone.output;
  const std::string config = read_file(folder_ / "alone/config.toml");
  EXPECT_NE(config.find("discriminator_learning_rate = 0.5"), std::string::npos) << config;

  expect_outcome(duel("train --out by_hand " + options), 5, "is intact");
  const Outcome resumed = duel(
      "train --out by_hand --resume --set optimizer.discriminator_learning_rate=0.5 "
      "--set optimizer.generator_learning_rate=5e-5 --set optimizer.learning_rate=5e-4 --steps 25");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_EQ(weights("alone"), weights("by_hand"));
}

TEST_F(Rollback, GivesUpAfterThree) {
  const Outcome outcome =
      duel("train --out run --on-nonfinite rollback --set output.checkpoint_every=0 " + growing(16));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.output;
  EXPECT_NE(outcome.output.find("rolled back to step 0 because there is no checkpoint yet"), std::string::npos);
  EXPECT_NE(outcome.output.find("rollback 3 of 3"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("rollback 4"), std::string::npos);
}

TEST_F(Rollback, IsAWord) {
  expect_outcome(duel("train --out run --on-nonfinite undo " + kSmall), 2, "rollback");
}

}  // namespace
}  // namespace duel::test
