// What a run will write, and when a disk is too small for it.
#include "host/train/disk_use.h"

#include "host/run/checkpoint.h"
#include "host/train/trainer.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

TEST(DiskUse, CountsWhatIsKept) {
  Options options = small_options();
  options.output.checkpoint_every = 10;
  options.output.samples_every = 20;
  options.output.keep_last = 2;
  const Data dataset = small_dataset(options);
  const TemporaryFolder folder;
  const TrainingPlan plan = plan_training(options, dataset, false, 1);
  const auto use_of = [&] { return plan_disk_use(options, plan, folder / "not/yet", 100); };
  EXPECT_EQ(use_of().folder, folder.path());
  EXPECT_GT(use_of().free.value_or(0), 0);
  EXPECT_EQ(use_of().checkpoints, 3);  // the oldest goes when the next is there
  EXPECT_EQ(use_of().pairs, 6);
  options.evaluate.every = 10;
  options.evaluate.keep_best = "kid";
  EXPECT_EQ(use_of().checkpoints, 5);  // and the best, beside the one that was it before
  options.evaluate = {};
  options.output.keep_every = 50;
  EXPECT_EQ(use_of().checkpoints, 5);
  options.output.keep_last = 0;
  EXPECT_EQ(use_of().checkpoints, 11);
  options.output.checkpoint_every = 0;
  EXPECT_EQ(use_of().checkpoints, 1);
}

TEST(DiskUse, ACheckpointIsNoLargerThanIsSaid) {
  const Options options = small_options();
  const Data dataset = small_dataset(options);
  const TemporaryFolder folder;
  Context context = Context::cpu(1, KernelChoice::ours);
  Trainer(context, options, dataset).save(folder.path());
  double bytes = 0;
  for (const std::string& name : names_in(folder.path())) {
    bytes += static_cast<double>(std::filesystem::file_size(folder / name));
  }
  const double said = plan_disk_use(options, plan_training(options, dataset, false, 1), folder.path(), 1).checkpoint;
  EXPECT_LE(bytes, said);
  EXPECT_GE(bytes, said / 2);
}

TEST(DiskUse, NoRoomForTheFirstIsAnErrorAndForAllAWarning) {
  DiskUse use{"/disk", 3 << 20, 1 << 20, 5, 2, 4 << 20};
  check_disk(use);
  EXPECT_TRUE(use.may_fill());
  EXPECT_EQ(fill_warning(use), "warning: /disk: 4.0 MiB are free, but the run may write up to 17.0 MiB");
  use.free = use.most();
  EXPECT_FALSE(use.may_fill());
  use.free = (4 << 20) - 1e5;
  EXPECT_ERROR(check_disk(use), Error::Kind::data,
               "/disk: there is no room: 3.9 MiB are free, but the first checkpoint and sample sheets take up to 4.0");
  use.free.reset();
  check_disk(use);
  EXPECT_FALSE(use.may_fill());
}

}  // namespace
}  // namespace duel::test
