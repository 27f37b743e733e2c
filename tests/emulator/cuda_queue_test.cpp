// The queue of a GPU on an emulated one that runs work late and in any order between streams that the events allow:
// the scheduler's cases, and whole trainings eagerly, captured, several steps a launch, streamed; and a device that is
// lost in the middle.
#include "host/device/cuda/cuda_queue.h"

#include "emulator/runtime.h"
#include "emulator/stream.h"
#include "host/run/run_directory.h"
#include "host/train/trainer.h"
#include "host/train/training_run.h"
#include "kernels/bias_act.h"
#include "kernels/check.h"
#include "kernels/cuda/lane.h"
#include "kernels/elementwise.h"
#include "kernels/memory.h"
#include "tests/support/op_runner.h"
#include "tests/support/scheduler_case.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trained_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace duel::test {

namespace {

using Block = Parameters::Block;

// Its steps queue functions where a training's queue kernels.
class CaseQueue : public CudaQueue {
public:
  CaseQueue(Context& context, bool graphs)
      : CudaQueue(context, graphs), compute_(static_cast<cudaStream_t>(context.native_stream())) {}
  void on_compute(std::function<void()> run) { emulator::submit(compute_, std::move(run)); }

private:
  cudaStream_t compute_;
};

class CudaQueueTest : public testing::Test {
protected:
  void SetUp() override { context_ = backends().front().open(0); }
  void TearDown() override { emulator::runtime() = {}; }

  std::string run_seed(std::uint64_t seed, bool graphs) {
    emulator::runtime().late_seed = seed + 1;
    SchedulerCase c = draw_case(seed);
    if (emulator::runtime().ignores_stream_waits) {
      c.threads = 0;  // the wrong bytes must come from the device's disorder, not from a race on the host
    }
    FakeDevice device(c);
    try {
      CaseQueue queue(*context_, graphs);
      const std::string problem = run_case(c, device, queue);
      return problem.empty() ? "" : fmt::format("seed {}: {}", seed, problem);
    } catch (const Error& error) {
      return fmt::format("seed {}: {}", seed, error.what());
    }
  }

  std::shared_ptr<Context> context_;
};

TEST_F(CudaQueueTest, EveryInterleavingGivesEveryStepItsBatchAndEveryRowOnce) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    ASSERT_EQ(run_seed(seed, false), "");
    ASSERT_EQ(run_seed(seed, true), "");
  }
  EXPECT_GT(emulator::runtime().graph_launches, 1000);
}

TEST_F(CudaQueueTest, TheCasesTellThatStreamsDoNotWait) {
  int noticed = 0;
  emulator::runtime().ignores_stream_waits = true;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    noticed += run_seed(seed, seed % 2 == 0).empty() ? 0 : 1;
  }
  EXPECT_GT(noticed, 20);
}

TEST_F(CudaQueueTest, AStepIsCapturedOnceForEachSizeOfAGroup) {
  CaseQueue queue(*context_, true);
  int captured = 0, ran = 0;
  const auto work = queue.add_work([&] {
    ++captured;
    queue.on_compute([&] { ++ran; });
  });
  for (int i = 0; i < 3; ++i) {
    queue.launch(work, 4);
    queue.launch(work, 1);
  }
  EXPECT_EQ(captured, 5);
  EXPECT_EQ(ran, 15);
  for (int steps = 1; steps <= 30; ++steps) {  // more sizes than are kept
    queue.launch(work, steps);
  }
  EXPECT_EQ(ran, 15 + 30 * 31 / 2);
  EXPECT_LT(captured, 60);
}

TEST_F(CudaQueueTest, WhatACaptureCannotHoldIsAnErrorAndTheStreamGoesOn) {
  CaseQueue queue(*context_, true);
  const auto allocates = queue.add_work([&] { context_->release(context_->allocate(16)); });
  const auto waits = queue.add_work([&] { context_->synchronize(); });
  const auto throws = queue.add_work([]() { throw_error(Error::Kind::internal, "planned"); });
  for (const auto work : {allocates, waits}) {
    try {
      queue.launch(work, 1);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("not permitted when stream is capturing"), std::string::npos)
          << error.what();
      EXPECT_EQ(error.kind(), Error::Kind::device);
    }
  }
  EXPECT_THROW(queue.launch(throws, 2), Error);
  int ran = 0;
  queue.launch(queue.add_work([&] { queue.on_compute([&] { ++ran; }); }), 2);
  context_->synchronize();
  EXPECT_EQ(ran, 2);
}

// What a training leaves: every block of both networks, and all rows of scalars.
struct Result {
  std::vector<float> state, rows;
  bool operator==(const Result&) const = default;
};

Result train(Context& context, const Options& options, int steps) {
  const Data dataset = small_dataset(options);
  Trainer trainer(context, options, dataset);
  Result result;
  trainer.on_row(
      [&](std::int64_t, std::span<const float> row) { result.rows.insert(result.rows.end(), row.begin(), row.end()); });
  trainer.run_to(steps / 2);
  trainer.run_to(steps);
  trainer.drain();
  result.state = state_of(trainer);
  return result;
}

Options scheduled(Options options, const char* residency, const char* launch, int steps_per_launch, int lanes = 1) {
  options.schedule = {residency, launch, steps_per_launch, lanes};
  return options;
}

class ScheduledTraining : public CudaQueueTest, public testing::WithParamInterface<std::string> {};

TEST_P(ScheduledTraining, TheSameBytesHoweverStepsAreLaunched) {
  const std::string preset = GetParam().substr(0, GetParam().find('_'));
  Options options = small_options(preset);
  options.precision = GetParam().substr(preset.size() + 1);
  const Result expected = train(*context_, scheduled(options, "device", "eager", 1), 11);
  EXPECT_EQ(expected.rows.size() % 11, 0U);
  EXPECT_EQ(emulator::runtime().graph_launches, 0);
  EXPECT_EQ(train(*context_, scheduled(options, "device", "graph", 1), 11), expected);
  EXPECT_EQ(emulator::runtime().graph_launches, 11);
  EXPECT_EQ(train(*context_, scheduled(options, "device", "graph", 4), 11), expected);
  EXPECT_EQ(train(*context_, scheduled(options, "stream", "eager", 3), 11), expected);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    emulator::runtime().late_seed = seed;
    EXPECT_EQ(train(*context_, scheduled(options, "stream", "graph", 3), 11), expected) << "seed " << seed;
  }
}

TEST_P(ScheduledTraining, TheSameBytesOnSeveralLanes) {
  const std::string preset = GetParam().substr(0, GetParam().find('_'));
  Options options = small_options(preset);
  options.precision = GetParam().substr(preset.size() + 1);
  const Result expected = train(*context_, scheduled(options, "device", "eager", 1, 1), 5);
  EXPECT_EQ(train(*context_, scheduled(options, "device", "eager", 1, 2), 5), expected);
  EXPECT_EQ(train(*context_, scheduled(options, "stream", "graph", 2, 2), 5), expected);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    emulator::runtime().late_seed = seed;
    const char* const launch = seed % 2 == 0 ? "eager" : "graph";
    EXPECT_EQ(train(*context_, scheduled(options, seed % 3 == 0 ? "stream" : "device", launch, 2, 2), 5), expected)
        << launch << ", seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(recipes, ScheduledTraining,
                         testing::Values("classic_fp32", "classic_bf16", "steady_fp32", "steady_bf16"),
                         [](const auto& test) { return test.param; });

// How many of some late trainings on two lanes end in another state than one on one lane.
int wrong_trainings(Context& context, const Options& options, const char* launch, const Result& expected) {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    emulator::runtime().late_seed = seed;
    wrong += train(context, scheduled(options, "device", launch, 1, 2), 2).state == expected.state ? 0 : 1;
  }
  emulator::runtime().late_seed = 0;
  return wrong;
}

TEST_F(CudaQueueTest, LanesThatDoNotWaitAreNoticed) {
  const Options options = small_options("classic");
  const Result expected = train(*context_, scheduled(options, "device", "eager", 1), 2);
  emulator::runtime().ignores_stream_waits = true;
  EXPECT_GT(wrong_trainings(*context_, options, "eager", expected), 4);
  EXPECT_GT(wrong_trainings(*context_, options, "graph", expected), 4);
}

TEST_F(CudaQueueTest, LanesThatShareTheirMemoryAreNoticed) {
  Options options = small_options("classic");
  options.train.batch = 24;  // so many that sums and products are cut into parts
  options.data.synthetic_height = options.data.synthetic_width = 10;
  options.model.discriminator_channels = {8, 6, 6};
  emulator::runtime().has_clusters = false;  // which leave nothing in that memory where they are alone
  Context right = Context::cuda();
  const Result expected = train(right, scheduled(options, "device", "eager", 1), 2);
  emulator::runtime().shared_allocation = CudaLane::kPartialBytes;
  Context context = Context::cuda();
  EXPECT_GT(wrong_trainings(context, options, "graph", expected), 0);
}

// How many of some pairs of sums, on two lanes at a time, are wrong. The block that ends last tells itself by a ticket.
int wrong_sums(Context& context) {
  const Shape shape{4096, 8};
  const Buffer array(context, static_cast<std::size_t>(shape.count()) * sizeof(float)),
      sums(context, 16 * sizeof(float));
  const View dy = array.view(shape, DType::f32);
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    emulator::runtime().late_seed = seed;
    fill(context, static_cast<float>(seed), dy);  // others each time: parts of the time before must not pass for these
    context.synchronize();
    for (int lane = 0; lane < 2; ++lane) {
      context.select_lane(lane);
      bias_backward(context, dy, {sums.view({16}, DType::f32).as<float>() + 8 * lane, {8}, DType::f32});
    }
    context.select_lane(0);
    const std::vector<float> got = download<float>(context, sums.view({16}, DType::f32));
    wrong += std::count(got.begin(), got.end(), 4096.0F * static_cast<float>(seed)) == 16 ? 0 : 1;
  }
  emulator::runtime().late_seed = 0;
  return wrong;
}

TEST_F(CudaQueueTest, LanesThatShareTicketsAreNoticed) {
  {
    Context context = Context::cuda();
    context.open_lanes(2, 0);
    EXPECT_EQ(wrong_sums(context), 0);
  }
  emulator::runtime().shared_allocation = CudaLane::kTickets * sizeof(unsigned);
  Context context = Context::cuda();
  context.open_lanes(2, 0);
  EXPECT_GT(wrong_sums(context), 0);
}

TEST_F(CudaQueueTest, StepsPerLaunchAndLanesAreMeasured) {
  Options options = scheduled(small_options("classic"), "device", "graph", 0, 0);
  options.data.synthetic_height = options.data.synthetic_width = 2;
  options.model.generator_widths = options.model.discriminator_channels = options.model.discriminator_widths = {};
  options.train.batch = 2;
  const Data dataset = small_dataset(options);
  Trainer trainer(*context_, options, dataset);
  std::string report;
  trainer.on_tuned([&](const std::string& text) { report += text; });
  trainer.run_to(20);  // too few to measure anything with
  EXPECT_EQ(trainer.steps_per_launch(), 0);
  EXPECT_EQ(trainer.lanes(), 0);
  EXPECT_EQ(report, "");
  trainer.run_to(400);
  EXPECT_GE(trainer.steps_per_launch(), 1);
  EXPECT_GE(trainer.lanes(), 1);
  EXPECT_EQ(trainer.steps_done(), 400);
  EXPECT_EQ(report.find("launches: chosen "), 0U) << report;
  EXPECT_NE(report.find("on 1 lane: "), std::string::npos) << report;
  EXPECT_NE(report.find("on 2 lanes: "), std::string::npos) << report;
}

TEST_F(CudaQueueTest, ADeviceLostInTheMiddleLeavesTheLastCheckpoint) {
  Options options = small_options("classic");
  options.device = "cuda";
  options.train.steps = 12;
  options.schedule = {"stream", "graph", 2};
  options.output.checkpoint_every = 2;
  options.output.samples_every = 4;
  options.output.sample_rows = options.output.sample_columns = 1;
  const TemporaryFolder folder;
  ASSERT_EQ(run_training({options, (folder / "whole").string(), false}).exit_code, 0);
  const int calls = emulator::runtime().calls;
  int resumed = 0;
  for (int part = 1; part < 12; ++part) {
    const std::string run = (folder / fmt::format("run{}", part)).string();
    emulator::runtime().calls_until_lost = calls * part / 12;
    try {
      run_training({options, run, false});  // lost when all was done, and memory was released
      EXPECT_EQ(RunDirectory::open_for_reading(run).latest_checkpoint(), 12);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::device) << error.what();
      EXPECT_NE(std::string(error.what()).find("unspecified launch failure (cudaErrorLaunchFailure)"),
                std::string::npos)
          << error.what();
    }
    emulator::runtime() = {};
    const bool is_run = std::filesystem::exists(std::filesystem::path(run) / "config.toml");
    if (is_run && RunDirectory::open_for_reading(run).latest_checkpoint()) {
      EXPECT_EQ(run_training({options, run, true}).exit_code, 0);
      ++resumed;
    }
  }
  EXPECT_GT(resumed, 4);
}

}  // namespace

}  // namespace duel::test
