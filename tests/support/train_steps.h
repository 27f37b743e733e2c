// Some steps of a trainer, and what they said.
#pragma once

#include "host/train/trainer.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace duel::test {

inline void train(Trainer& trainer, int steps) {
  for (int i = 0; i < steps; ++i) {
    trainer.step();
  }
}

// The latest of that name; no number where there is none.
inline float metric(Trainer& trainer, const std::string& name) {
  const auto& names = trainer.metric_names();
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::numeric_limits<float>::quiet_NaN()
                              : trainer.read_metrics()[static_cast<std::size_t>(found - names.begin())];
}

// R1 alone runs real and generated pictures apart; with a vanishing R2 they go in one batch. Both are to agree.
inline void expect_apart_agrees_with_joint(Options options) {
  options.loss.r2 = 0;
  Context context = Context::cpu(2);
  const Data dataset = small_dataset(options);
  Trainer apart(context, options, dataset);
  options.loss.r2 = 1e-30;
  Trainer joint(context, options, dataset);
  train(apart, 1);
  train(joint, 1);
  EXPECT_NEAR(metric(apart, "d_loss"), metric(joint, "d_loss"), 1e-5);
  EXPECT_NEAR(metric(apart, "r1"), metric(joint, "r1"), 1e-5);
  EXPECT_NEAR(metric(apart, "d_grad_norm"), metric(joint, "d_grad_norm"), 1e-4);
}

}  // namespace duel::test
