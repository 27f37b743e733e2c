// How many launches a training step has on a GPU, at the presets' own sizes: it is captured, and never run.
#include "emulator/graph.h"
#include "emulator/runtime.h"
#include "engine/program/execution.h"
#include "host/config/presets.h"
#include "host/recipes/gan.h"
#include "host/run/model.h"
#include "kernels/memory.h"
#include "tests/support/op_runner.h"

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

namespace duel::test {

namespace {

std::size_t launches_of(Context& context, const Program& program, const Storage& storage) {
  Execution execution(context, program);
  const Buffer arena(context, execution.plan().arena_bytes);
  execution.attach(arena.data(), storage);
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
  const int multiprocessors = std::exchange(emulator::runtime().multiprocessors, 132);  // an H100's
  const std::shared_ptr<Context> context = backends().front().open(0);
  GanModel model = make_model(options, {1, 28, 28, 1});
  allocate_for_training(*context, model, options, false);
  const Buffer pictures(*context, std::size_t{784} * 64), step(*context, 8),
      ring(*context, 4 * kRingRows * gan_metrics(options).size());
  const GanBuffers buffers{.pictures = pictures.view({64, 28, 28, 1}, DType::u8),
                           .step = step.view({1}, DType::i64),
                           .ring = ring.view({kRingRows, static_cast<int>(gan_metrics(options).size())}, DType::f32)};
  const GanPhases phases = record_gan(model, options, buffers);
  const Storage storage = gan_storage(model, buffers);
  const std::size_t launches =
      launches_of(*context, phases.discriminator, storage) + launches_of(*context, phases.generator, storage);
  emulator::runtime().multiprocessors = multiprocessors;
  return launches;
}

// More than the nodes, as sums that are shared among blocks take a second launch.
TEST(StepLaunches, AreFew) {
  EXPECT_LE(launches_of_a_step("classic", "fp32"), 77U);
  EXPECT_LE(launches_of_a_step("classic", "bf16"), 75U);
  EXPECT_LE(launches_of_a_step("steady", "fp32"), 112U);
  EXPECT_LE(launches_of_a_step("steady", "bf16"), 112U);
}

}  // namespace

}  // namespace duel::test
