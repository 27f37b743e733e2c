// What is said of the discriminator beside its loss. (The losses themselves: derivative_rules_test.cpp and the records
// of PyTorch.)
#include "engine/nn/losses.h"

#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace duel::test {
namespace {

// On real pictures and on generated ones, of these logits.
std::vector<float> accuracies(LossKind kind) {
  SmallProgram s;
  const Value logits = s.input({4});
  const Value real = accuracy_on_real(s.program, kind, logits), fake = accuracy_on_fake(s.program, kind, logits);
  s.program.keep(real);
  s.program.keep(fake);
  s.finish();
  std::copy_n(std::vector<float>{-0.1F, 0.2F, 0.4F, 0.9F}.data(), 4, s.data(0));
  s.run();
  return {s.read(real)[0], s.read(fake)[0]};
}

TEST(Losses, AccuracyIsAboutTheLogitAtWhichTheDiscriminatorGuesses) {
  for (const LossKind kind : {LossKind::bce, LossKind::hinge, LossKind::wgan}) {
    EXPECT_EQ(accuracies(kind), (std::vector<float>{0.75F, 0.25F})) << static_cast<int>(kind);
  }
  EXPECT_EQ(accuracies(LossKind::lsgan), (std::vector<float>{0.25F, 0.75F}));  // of 1 and 0
}

}  // namespace
}  // namespace duel::test
