// The benches on an emulated GPU: the paths that they take there, not times.
#include "emulator/runtime.h"
#include "host/bench/kernel_bench.h"
#include "host/bench/step_bench.h"
#include "host/device/call_timer.h"
#include "host/device/device.h"
#include "host/device/device_probe.h"
#include "host/train/trainer.h"
#include "kernels/elementwise.h"
#include "tests/emulator/vendor/fake_libraries.h"
#include "tests/support/op_runner.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <vector>

namespace duel::test {

namespace {

class EmulatedBench : public testing::Test {
protected:
  void SetUp() override { context_ = backends().front().open(0); }
  void TearDown() override {
    ::unsetenv("DUEL_CUDA_LIBRARIES");
    emulator::runtime() = {};
  }

  Options options() const {
    Options options = small_options("classic");
    options.device = "cuda";
    options.train.batch = 2;
    options.data.synthetic_height = options.data.synthetic_width = 3;  // every operator is emulated a thousand times
    options.model.latent = 2;
    options.model.generator_widths = {3};
    options.model.discriminator_channels = {5, 3};
    options.model.discriminator_widths = {};
    options.schedule.steps_per_launch = options.schedule.lanes = 1;
    return options;
  }

  std::shared_ptr<Context> context_;
};

TEST_F(EmulatedBench, CallsAreCapturedOnceAndThenLaunchedAsGraphs) {
  Buffer array(*context_, 64);
  int queued = 0;
  CallTimer timer(*context_, calls_in_a_graph(*context_), [&] {
    ++queued;
    fill(*context_, 1, array.view({16}, DType::f32));
  });
  EXPECT_EQ(queued, 21);  // once as it is, and 20 for the graph
  const int launches = emulator::runtime().graph_launches;
  EXPECT_GT(timer.window(0), 0);
  EXPECT_EQ(emulator::runtime().graph_launches, launches + 1);
  EXPECT_GT(timer.window(200), 0);  // many times a launch, also where another program got in between
  EXPECT_GT(emulator::runtime().graph_launches, launches + 2);
  EXPECT_EQ(queued, 21);
}

TEST_F(EmulatedBench, AColdCallIsAGraphWithFlushesLessOneOfFlushesAlone) {
  Buffer array(*context_, std::size_t{1} << 20);
  CacheFlush flush(*context_, 4096);
  const auto call = [&] { fill(*context_, 1, array.view({1 << 18}, DType::f32)); };
  EXPECT_GT(cold_milliseconds(*context_, flush, call), 0);  // the call takes far longer than the flush
  EXPECT_GT(emulator::runtime().graph_launches, 18);
}

TEST_F(EmulatedBench, AStepHasARowForEachLayerAndTimesItInGraphs) {
  const StepBench bench = bench_step(options(), known_ceilings("h100"), 0);
  EXPECT_GT(emulator::runtime().graph_launches, 10 * bench.operator_calls);
  EXPECT_TRUE(bench.is_graph);
  std::map<std::string, int> rows;
  int calls = 0;
  for (const OperatorTime& op : bench.operators) {
    EXPECT_GT(op.ms, 0) << op.key.op;
    rows[op.key.op + " " + op.key.where] += op.calls;
    calls += op.calls;
  }
  EXPECT_EQ(calls, bench.operator_calls);
  for (const char* row : {"conv2d_forward d_main/discriminator/conv1", "conv2d_forward d_main/discriminator/conv2",
                          "conv2d_bias_act_backward d_main/backward/discriminator/conv1",
                          "conv2d_backward_weight d_main/backward/discriminator/conv2",
                          "adam d_main/discriminator/update", "adam g_main/generator/update"}) {
    EXPECT_EQ(rows[row], 1) << row;
  }
}

TEST_F(EmulatedBench, KernelsSayWhyNoneOfAVendorsWasTimed) {
  ::setenv("DUEL_CUDA_LIBRARIES", "/nowhere", 1);
  KernelBenchRequest request{options(), "conv2d_forward", 0.1, 0.01, 4096};
  const KernelBench bench = bench_kernels(request, known_ceilings("h100"));
  double ms = 0, floor_ms = 0;
  for (const KernelTime& time : bench.kernels) {
    EXPECT_GT(time.ms, 0);
    EXPECT_EQ(time.vendor_ms, 0);
    ms += time.calls * time.ms;
    floor_ms += time.calls * time.floor_ms;
  }
  EXPECT_GE(bench.kernels.size(), 2U);
  EXPECT_DOUBLE_EQ(bench.ms, ms);
  EXPECT_DOUBLE_EQ(bench.floor_ms, floor_ms);
  EXPECT_NE(bench.no_vendor.find("was not found in /nowhere"), std::string::npos) << bench.no_vendor;
}

TEST_F(EmulatedBench, KernelsAreTimedInTurnWithAVendors) {
  ::setenv("DUEL_CUDA_LIBRARIES", fake_libraries(), 1);
  const KernelBenchRequest request{options(), "conv2d_forward", 0.1, 0.01, 4096};
  const KernelBench bench = bench_kernels(request, known_ceilings("h100"));
  EXPECT_EQ(bench.no_vendor, "");
  int timed = 0;
  for (const KernelTime& time : bench.kernels) {
    EXPECT_EQ(time.vendor_error, "");
    timed += time.vendor_ms > 0 ? 1 : 0;
  }
  EXPECT_EQ(timed, 4);  // two layers, in either phase
}

TEST_F(EmulatedBench, AVendorsKernelThatFailsIsNamedAndOursAreTimedOn) {
  ::setenv("DUEL_CUDA_LIBRARIES", fake_libraries(), 1);
  const KernelBenchRequest request{options(), "conv2d_forward", 0.1, 0.01, 4096};
  std::vector<KernelTime> rows;
  bench_kernels(request, known_ceilings("h100"), [&](const KernelTime& time) {
    rows.push_back(time);
    ::setenv("DUEL_FAKE_VENDOR", "broken", 1);  // from now on what is queued fails
  });
  ::unsetenv("DUEL_FAKE_VENDOR");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_GT(rows[0].vendor_ms, 0);
  EXPECT_EQ(rows[0].vendor_error, "");
  EXPECT_GT(rows[1].ms, 0);
  EXPECT_EQ(rows[1].vendor_ms, 0);
  EXPECT_NE(rows[1].vendor_error.find("conv2d_forward"), std::string::npos) << rows[1].vendor_error;
}

TEST_F(EmulatedBench, LanesArePlannedByARememberedProbe) {
  const TemporaryFolder folder;
  ::setenv("XDG_CACHE_HOME", folder.path().c_str(), 1);
  Options two = options();
  two.schedule.lanes = 2;
  const auto lanes_of = [&] {
    const Data dataset = small_dataset(two);
    const Trainer trainer(*context_, two, dataset);
    std::vector<int> lanes;
    for (const LanePlan::Place& place : trainer.phases()[0].execution.lanes().places) {
      lanes.push_back(place.lane);
    }
    return lanes;
  };
  const std::vector<int> usual = lanes_of();
  const std::string name = context_->name(), inside = name.substr(name.find('(') + 1);
  DeviceProbe probe{inside.substr(0, inside.size() - 1), 1000, 0, 0, {}};
  probe.nodes.handover = 1e6;  // nothing goes aside at that price
  remember_probe(remembered_probes_path(), probe);
  EXPECT_EQ(lane_request(*context_, two).costs.handover, 1e6);
  EXPECT_NE(lanes_of(), usual);
  probe.device = "another";
  std::filesystem::remove(remembered_probes_path());
  remember_probe(remembered_probes_path(), probe);
  EXPECT_EQ(lanes_of(), usual);
  ::unsetenv("XDG_CACHE_HOME");
}

}  // namespace

}  // namespace duel::test
