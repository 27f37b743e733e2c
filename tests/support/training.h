// A small training with all that it needs.
#pragma once

#include "host/train/trainer.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/train_steps.h"
#include "tests/support/trained_state.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace duel::test {

struct Training {
  explicit Training(const Options& run_options) : Training(run_options, small_dataset(run_options)) {}
  Training(const Options& run_options, Data rows)
      : options(run_options), data(std::move(rows)), trainer(context, options, data) {}

  void train(int count) {
    trainer.run_to(trainer.steps_done() + count);
    trainer.drain();
  }
  double metric(const std::string& name) { return static_cast<double>(test::metric(trainer, name)); }

  Context context = Context::cpu(2);
  Options options;
  Data data;
  Trainer trainer;
};

// `T`: of options, with train() and a trainer. Five steps end alike where another trainer goes on after `before` of
// them.
template <class T>
void expect_resumed_byte_for_byte(const Options& options, int before, const std::string& what) {
  constexpr int kSteps = 5;
  T whole(options), first(options), second(options);
  whole.train(kSteps);
  first.train(before);
  const TemporaryFolder folder;
  first.trainer.save(folder.path());
  second.trainer.load(folder.path());
  second.train(kSteps - before);
  EXPECT_EQ(state_of(whole.trainer), state_of(second.trainer)) << what;
}

// Rows that are streamed train as those on the device do.
template <class T>
void expect_streamed_alike(Options options) {
  T resident(options);
  options.schedule.residency = "stream";
  T streamed(options);
  resident.train(3);
  streamed.train(3);
  EXPECT_EQ(state_of(resident.trainer), state_of(streamed.trainer));
}

}  // namespace duel::test
