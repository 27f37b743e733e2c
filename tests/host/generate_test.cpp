// What generate is made of: ways between latents, and checkpoints that vanish while they are read.
#include "host/sample/generate.h"

#include "host/recipes/registry.h"
#include "host/sample/drawing_memory.h"
#include "host/sample/latents.h"
#include "host/sample/sampler.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cmath>

namespace duel {
namespace {

using test::TemporaryFolder;

TEST(Slerp, KeepsToTheCircle) {
  const std::vector<float> a = {1, 0}, b = {0, 1};
  EXPECT_EQ(slerp(a, b, 0), a);
  for (const double t : {0.25, 0.5, 0.9, 1.0}) {
    const std::vector<float> point = slerp(a, b, t);
    EXPECT_NEAR(point[0], std::cos(t * std::acos(0.0)), 1e-6);
    EXPECT_NEAR(point[1], std::sin(t * std::acos(0.0)), 1e-6);
  }
  EXPECT_EQ(slerp(a, a, 0.3), a);
  EXPECT_EQ(slerp(std::vector<float>{0, 0}, b, 0.5), (std::vector<float>{0, 0.5F}));
  EXPECT_EQ(slerp(a, std::vector<float>{-1, 0}, 0.25), (std::vector<float>{0.5F, 0}));
}

class VanishingCheckpoint : public ::testing::Test {
protected:
  VanishingCheckpoint() : run_(RunDirectory::create(folder_ / "run", "")) {
    publish(10);
    publish(20);
  }
  void publish(std::int64_t step) {
    AtomicFolder checkpoint = run_.begin_checkpoint(step);
    test::write_file(checkpoint.path() / "x", "x");
    run_.publish_checkpoint(std::move(checkpoint), 0, 0);
  }
  // What a training beside this does.
  void prune_20() {
    publish(30);
    remove_folder_atomically(run_.checkpoint_path(20));
  }

  TemporaryFolder folder_;
  RunDirectory run_;
  int calls_ = 0;
};

TEST_F(VanishingCheckpoint, TheNextOneIsRead) {
  const std::int64_t step = read_checkpoint_of(run_, std::nullopt, [&](const std::filesystem::path& checkpoint) {
    if (++calls_ == 1) {
      prune_20();
    }
    read_text_file(checkpoint / "x");
  });
  EXPECT_EQ(step, 30);
  EXPECT_EQ(calls_, 2);
}

TEST_F(VanishingCheckpoint, TheOneThatWasAskedForIsNotReplaced) {
  EXPECT_ERROR(read_checkpoint_of(run_, 20,
                                  [&](const std::filesystem::path& checkpoint) {
                                    prune_20();
                                    read_text_file(checkpoint / "x");
                                  }),
               Error::Kind::data, "there is no checkpoint of step 20 (there are: 10, 30)");
}

TEST_F(VanishingCheckpoint, ADamagedOneIsAnError) {
  EXPECT_ERROR(read_checkpoint_of(run_, std::nullopt,
                                  [&](const std::filesystem::path& checkpoint) { read_text_file(checkpoint / "y"); }),
               Error::Kind::data, "y: ");
}

TEST(DrawingMemory, IsWhatASamplerTakes) {
  const Options options = test::small_options();
  const auto recipe = make_recipe(options, {{"main", {picture_field("picture", 8, 6, 1)}}}, 1);
  const Networks networks(recipe->make_networks());
  const DrawingMemory use = plan_drawing(recipe->sampling(), networks, 10);
  const auto count = static_cast<std::size_t>(networks.parameters("generator").parameter_count());
  EXPECT_GE(use.weights, 2 * sizeof(float) * count);
  EXPECT_GE(use.activations, sizeof(float) * Sampler::kBatch * 8 * 6);  // at least the pictures
  EXPECT_EQ(use.sheet, 10U * 8 * 6 * 5);

  Context context = Context::cpu(1, KernelChoice::ours);
  check_drawing_memory(context, use, {use.weights + use.activations + use.sheet, ""});
  EXPECT_ERROR(check_drawing_memory(context, {3 << 20, 1 << 20, 1 << 20}, {4 << 20, "on this machine"}),
               Error::Kind::device,
               "needs 5.0 MiB of memory (weights 3.0, activations 1.0, the sheet 1.0), but 4.0 MiB are free on this "
               "machine");
}

}  // namespace
}  // namespace duel
