// --device cuda as a person meets it, on the emulated GPU: whole runs, checkpoints that move between devices, and what
// is said where there is no GPU, an old driver, or too little memory.
#include "host/device/device.h"
#include "emulator/runtime.h"
#include "host/run/run_directory.h"
#include "host/sample/generate.h"
#include "host/train/memory_check.h"
#include "host/train/trainable.h"
#include "host/train/trainer.h"
#include "host/train/training_run.h"
#include "kernels/check.h"
#include "kernels/cuda/launch.h"
#include "tests/support/op_runner.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace duel::test {

namespace {

using Block = Parameters::Block;

class DeviceTest : public testing::Test {
protected:
  void SetUp() override {
    backends().front().open(0);                          // the order of execution
    ::setenv("DUEL_CUDA_LIBRARIES", "/nonexistent", 1);  // real libraries have nothing to do here, and leak
  }
  void TearDown() override {
    ::unsetenv("DUEL_CUDA_LIBRARIES");
    emulator::runtime() = {};
  }

  static std::string error_of(const std::function<void()>& call, Error::Kind kind) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    return "no error";
  }
  static std::string opening_error(const std::string& device) {
    Options options;
    options.device = device;
    return error_of([&] { make_context(options); }, Error::Kind::device);
  }
};

Options cuda_options() {
  Options options = small_options("classic");
  options.device = "cuda";
  options.train.steps = 4;
  options.output.metrics_every = 1;
  options.output.sample_rows = options.output.sample_columns = 2;
  return options;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<float> weights_of(Trainer& trainer) {
  return download<float>(trainer.context(), trainer.networks().parameters("generator").view(Block::master));
}

// The emulator runs what it was compiled with: what a real launch answers is given by hand.
TEST_F(DeviceTest, WithoutKernelsForThisGpuTheLineThatBuildsThemIsSaid) {
  CudaContext context(0, false, KernelChoice::ours, nullptr);
  const Launch shape{.grid = dim3(3), .block = dim3(128)};
  const std::string sm = std::to_string(context.compute_capability());
  for (const cudaError_t result : {cudaErrorNoKernelImageForDevice, cudaErrorUnsupportedPtxVersion}) {
    const std::string text =
        error_of([&] { check_launch(context, "adam", "launching", shape, result); }, Error::Kind::device);
    EXPECT_NE(text.find("adam: this build has no kernels that run on "), std::string::npos) << text;
    EXPECT_NE(text.find("cmake -DDUEL_CUDA=ON -DDUEL_CUDA_ARCHITECTURES=" + sm), std::string::npos) << text;
  }
  const std::string text = error_of(
      [&] { check_launch(context, "adam", "launching", shape, cudaErrorLaunchOutOfResources); }, Error::Kind::device);
  EXPECT_NE(text.find("adam: launching a grid of 3x1x1 blocks of 128x1x1 threads"), std::string::npos) << text;
  EXPECT_NO_THROW(check_launch(context, "adam", "launching", shape, cudaSuccess));
}

TEST_F(DeviceTest, ARunOnCudaIsResumedAndGeneratedFrom) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  Options options = cuda_options();
  ASSERT_EQ(run_training({options, run, false}).exit_code, 0);
  EXPECT_NE(text_of(folder / "run" / "log.txt").find("on cuda:0 (emulated on the CPU)"), std::string::npos);
  options.train.steps = 6;
  ASSERT_EQ(run_training({options, run, true}).exit_code, 0);
  options.device = "cpu";
  options.train.steps = 8;
  ASSERT_EQ(run_training({options, run, true}).exit_code, 0);
  EXPECT_EQ(RunDirectory::open_for_reading(run).require_latest_checkpoint(), 8);
  GenerateRequest request;
  request.run = run;
  request.grid = "2x2";
  for (const char* device : {"cuda", "cuda:0", "auto", "cpu"}) {
    request.where.device = device;
    request.out = (folder / (std::string(device) + ".png")).string();
    generate(request);
  }
  EXPECT_EQ(text_of(folder / "cuda.png"), text_of(folder / "cuda:0.png"));
  EXPECT_EQ(text_of(folder / "cuda.png"), text_of(folder / "auto.png"));
}

TEST_F(DeviceTest, ACheckpointMovesBetweenDevices) {
  const Options options = cuda_options();
  const Data dataset = small_dataset(options);
  Context cpu = Context::cpu(1);
  Context cuda = make_context(options);
  Trainer whole(cpu, options, dataset), first(cuda, options, dataset), second(cpu, options, dataset);
  for (int step = 0; step < 8; ++step) {
    whole.step();
  }
  const TemporaryFolder folder;
  for (int step = 0; step < 4; ++step) {
    first.step();
  }
  first.save(folder.path());
  second.load(folder.path());
  EXPECT_EQ(weights_of(first), weights_of(second));
  for (int step = 0; step < 4; ++step) {
    second.step();
  }
  const std::vector<float> a = weights_of(whole), b = weights_of(second);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i] - b[i], 2);
    norm += std::pow(a[i], 2);
  }
  EXPECT_LT(std::sqrt(difference), 1e-3 * std::sqrt(norm));
}

TEST_F(DeviceTest, AutoTakesTheGpuWhereThereIsOne) {
  EXPECT_EQ(resolve_device("auto"), "cuda:0");
  EXPECT_EQ(why_not_cuda("auto"), "");
  emulator::runtime().devices = 0;
  EXPECT_EQ(resolve_device("auto"), "cpu");
  EXPECT_EQ(why_not_cuda("auto"), "no GPU: no GPU was found");
  EXPECT_EQ(resolve_device("cuda:3"), "cuda:3");
}

TEST_F(DeviceTest, SaysWhyThereIsNoGpu) {
  EXPECT_EQ(opening_error("cuda:9"), "cuda:9: there is 1 GPU, so the device must be 0");
  emulator::runtime().devices = 3;
  EXPECT_EQ(opening_error("cuda:3"), "cuda:3: there are 3 GPUs, so the device must be 0 to 2");
  emulator::runtime().devices = 0;
  EXPECT_EQ(opening_error("cuda"), "cuda:0: no GPU was found; use --device cpu");
  emulator::runtime().driver = 0;
  EXPECT_EQ(opening_error("cuda"), "cuda:0: no NVIDIA driver is installed; use --device cpu");
  emulator::runtime().driver = 11040;
  const std::string old = opening_error("cuda");
  EXPECT_NE(old.find("the driver supports CUDA 11.4, but this binary was built with"), std::string::npos) << old;
  EXPECT_EQ(why_not_cuda("auto").rfind("no GPU: the driver supports CUDA 11.4", 0), 0U) << why_not_cuda("auto");
}

TEST_F(DeviceTest, ThePlanIsWhatTrainingTakes) {
  for (const auto& [precision, lanes] : {std::pair{"fp32", 1}, {"fp32", 2}, {"bf16", 0}}) {
    Options options = cuda_options();
    options.precision = precision;
    options.schedule.lanes = lanes;
    const Data dataset = small_dataset(options);
    Context context = make_context(options);
    Trainer trainer(context, options, dataset);
    EXPECT_EQ(trainer.memory_use().snapshot, 0U);
    EXPECT_EQ(trainer.reserve_snapshot(), Trainer::SnapshotRoom::reserved);
    const MemoryUse planned = plan_training(options, dataset, false, lanes == 1 ? 1 : 2).memory,
                    taken = trainer.memory_use();
    EXPECT_EQ(planned.snapshot, taken.snapshot);
    EXPECT_EQ(planned.parameters, taken.parameters);
    EXPECT_EQ(planned.pictures, taken.pictures);
    EXPECT_EQ(planned.arena, taken.arena);
    EXPECT_EQ(planned.arena_unshared, taken.arena_unshared);
  }
}

TEST_F(DeviceTest, TooLittleMemoryNamesABatchThatFits) {
  Options options = cuda_options();
  options.data.synthetic_count = 4000;
  options.train.batch = 4000;
  const Data dataset = small_dataset(options);
  Context context = make_context(options);
  const std::size_t before = emulator::runtime().memory_bytes - *context.free_bytes();
  emulator::runtime().memory_bytes = before + (std::size_t{6} << 20);
  const std::string error = error_of([&] { Trainer(context, options, dataset); }, Error::Kind::device);
  const std::size_t at = error.find("--batch ");
  ASSERT_NE(at, std::string::npos) << error;
  EXPECT_NE(error.find("but 6.0 MiB are free"), std::string::npos) << error;
  options.train.batch = std::stoi(error.substr(at + 8)) + 1;
  EXPECT_THROW(plan_trainable(context, options, dataset), Error);
  --options.train.batch;
  EXPECT_GT(options.train.batch, 1);
  EXPECT_NO_THROW(plan_trainable(context, options, dataset));
  emulator::runtime().memory_bytes = before + 1000;
  EXPECT_NE(error_of([&] { Trainer(context, options, dataset); }, Error::Kind::device).find("no batch would fit"),
            std::string::npos);
}

TEST_F(DeviceTest, AutoStreamsPicturesThatDoNotFit) {
  Options options = cuda_options();
  options.data.synthetic_count = 200'000;
  options.schedule.steps_per_launch = 2;
  const Data dataset = small_dataset(options);
  Context context = make_context(options);
  EXPECT_FALSE(plan_trainable(context, options, dataset).batches.is_streamed());
  Options streamed = options;
  streamed.schedule.residency = "stream";
  const std::size_t before = emulator::runtime().memory_bytes - *context.free_bytes();
  emulator::runtime().memory_bytes = before + plan_training(streamed, dataset, true, 2).memory.total() + (1 << 20);
  EXPECT_TRUE(plan_trainable(context, options, dataset).batches.is_streamed());
  Trainer trainer(context, options, dataset);
  EXPECT_TRUE(trainer.streams_pictures());
  EXPECT_LT(trainer.memory_use().pictures, std::size_t{1} << 20);
  trainer.run_to(5);
  for (const float value : trainer.read_metrics()) {
    EXPECT_TRUE(std::isfinite(value));
  }
  options.schedule.residency = "device";
  EXPECT_NE(
      error_of([&] { plan_trainable(context, options, dataset); }, Error::Kind::device).find("no batch would fit"),
      std::string::npos);
}

TEST_F(DeviceTest, Tf32IsAPrecisionOfTheGpuAlone) {
  Options options = cuda_options();
  options.precision = "tf32";
  const Data dataset = small_dataset(options);
  Context cuda = make_context(options);
  EXPECT_TRUE(cuda.supports_tf32());
  Trainer trainer(cuda, options, dataset);
  trainer.step();
  for (const float value : trainer.read_metrics()) {
    EXPECT_TRUE(std::isfinite(value));
  }
  Context cpu = Context::cpu(1);
  EXPECT_NE(error_of([&] { Trainer(cpu, options, dataset); }, Error::Kind::device).find("precision tf32 needs a GPU"),
            std::string::npos);
}

}  // namespace

}  // namespace duel::test
