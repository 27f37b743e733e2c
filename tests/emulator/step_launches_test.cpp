// How many launches a training step has on a GPU, at the presets' own sizes: it is captured, and never run.
#include "emulator/graph.h"
#include "emulator/runtime.h"
#include "host/config/presets.h"
#include "host/data/open_dataset.h"
#include "host/recipes/step_memory.h"
#include "host/train/training_plan.h"
#include "kernels/memory.h"
#include "tests/support/op_runner.h"

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

namespace duel::test {

namespace {

std::size_t launches_of(Context& context, const Execution& execution) {
  auto* const stream = static_cast<cudaStream_t>(context.native_stream());
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  execution.run(context);
  EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  const std::size_t launches = graph->nodes->size();
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  return launches;
}

std::size_t launches_of_a_step(const std::string& name, const std::string& precision) {
  Options options = preset(name);
  options.precision = precision;
  options.data.source = "synthetic";
  options.data.synthetic_count = 64;
  const int multiprocessors = std::exchange(emulator::runtime().multiprocessors, 132);  // an H100's
  const std::shared_ptr<Context> context = backends().front().open(0);
  const Data data = open_dataset(options.data);
  TrainingPlan plan = plan_training(options, data, false, 1);
  plan.networks.allocate_for_training(*context, precision == "bf16");
  const Buffer rows(*context, plan.batches.bytes());
  Storage storage;
  plan.batches.add_to(storage, static_cast<std::byte*>(rows.data()));
  const StepMemory step(*context, std::move(plan.step), plan.networks, storage, kRingRows);
  std::size_t launches = 0;
  for (const StepPhase& phase : step.phases()) {
    launches += launches_of(*context, phase.execution);
  }
  emulator::runtime().multiprocessors = multiprocessors;
  return launches;
}

// A launch a node: sums that are shared among blocks are added in clusters of these, not by a second kernel.
TEST(StepLaunches, AreFew) {
  EXPECT_LE(launches_of_a_step("classic", "fp32"), 60U);
  EXPECT_LE(launches_of_a_step("classic", "bf16"), 60U);
  EXPECT_LE(launches_of_a_step("steady", "fp32"), 91U);
  EXPECT_LE(launches_of_a_step("steady", "bf16"), 93U);
}

}  // namespace

}  // namespace duel::test
