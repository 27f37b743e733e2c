// Streams of the emulated runtime: what is ordered, what is not, and what a capture of several streams keeps and
// refuses.
#include "emulator/stream.h"

#include "emulator/device.h"
#include "emulator/runtime.h"
#include "kernels/cuda/platform.cuh"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace duel::emulator {

namespace {

// Two streams and two events.
class EmulatorStreamTest : public testing::Test {
protected:
  void SetUp() override {
    options() = {};
    for (int i = 0; i < 2; ++i) {
      cudaStreamCreateWithFlags(&stream_[i], cudaStreamNonBlocking);
      cudaEventCreateWithFlags(&event_[i], cudaEventDisableTiming);
    }
  }
  void TearDown() override {
    for (int i = 0; i < 2; ++i) {
      cudaEventDestroy(event_[i]);
      cudaStreamDestroy(stream_[i]);
    }
    runtime() = {};
  }

  void write(int stream, char letter) {
    submit(stream_[stream], [this, letter] { text_ += letter; });
  }
  void order(int later, int earlier) {
    cudaEventRecord(event_[earlier], stream_[earlier]);
    cudaStreamWaitEvent(stream_[later], event_[earlier], 0);
  }
  // ab on the first stream; behind a, xy on the second; z behind both.
  void fork_and_join() {
    write(0, 'a');
    order(1, 0);
    write(0, 'b');
    write(1, 'x');
    write(1, 'y');
    order(0, 1);
    write(0, 'z');
  }
  cudaError_t capture(const std::function<void()>& queue) {
    cudaStreamBeginCapture(stream_[0], cudaStreamCaptureModeThreadLocal);
    queue();
    cudaGraph_t graph = nullptr;
    const cudaError_t result = cudaStreamEndCapture(stream_[0], &graph);
    if (result == cudaSuccess) {
      cudaGraphInstantiate(&executable_, graph, 0);
      cudaGraphDestroy(graph);
    }
    return result;
  }
  std::string run_captured() {
    text_.clear();
    cudaGraphLaunch(executable_, stream_[0]);
    cudaStreamSynchronize(stream_[0]);
    return text_;
  }

  cudaStream_t stream_[2] = {};
  cudaEvent_t event_[2] = {};
  cudaGraphExec_t executable_ = nullptr;
  std::string text_;
};

const std::set<std::string> kOrders = {"abxyz", "axbyz", "axybz"};

TEST_F(EmulatorStreamTest, AForkRunsInEveryOrderThatItsEventsAllow) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    runtime().late_seed = seed;
    text_.clear();
    fork_and_join();
    cudaStreamSynchronize(stream_[0]);
    seen.insert(text_);
  }
  EXPECT_EQ(seen, kOrders);
}

TEST_F(EmulatorStreamTest, ACapturedForkIsAGraphOfTheSameOrders) {
  ASSERT_EQ(capture([&] { fork_and_join(); }), cudaSuccess);
  EXPECT_EQ(text_, "");
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed <= 200; ++seed) {
    runtime().late_seed = seed;
    seen.insert(run_captured());
  }
  EXPECT_EQ(seen, kOrders);
  cudaGraphExecDestroy(executable_);
}

TEST_F(EmulatorStreamTest, AnEventIsRecordedAgainForEachWait) {
  ASSERT_EQ(capture([&] {
              fork_and_join();
              fork_and_join();
            }),
            cudaSuccess);
  runtime().late_seed = 3;
  const std::string text = run_captured();
  EXPECT_TRUE(kOrders.contains(text.substr(0, 5)) && kOrders.contains(text.substr(5))) << text;
  cudaGraphExecDestroy(executable_);
}

TEST_F(EmulatorStreamTest, WhatACaptureCannotHoldIsRefused) {
  EXPECT_EQ(capture([&] {
              order(1, 0);
              write(1, 'x');  // never joined
            }),
            cudaErrorStreamCaptureUnjoined);
  EXPECT_EQ(capture([&] {
              cudaEventRecord(event_[1], stream_[1]);
              EXPECT_EQ(cudaStreamWaitEvent(stream_[0], event_[1], 0), cudaErrorStreamCaptureIsolation);
            }),
            cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(capture([&] {
              cudaEventRecord(event_[0], stream_[0]);
              EXPECT_EQ(cudaEventQuery(event_[0]), cudaErrorCapturedEvent);
            }),
            cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(cudaStreamWaitEvent(stream_[1], event_[0], 0), cudaErrorCapturedEvent);
  EXPECT_EQ(capture([&] { order(1, 0), order(0, 1); }), cudaSuccess);  // and the streams go on
  cudaGraphExecDestroy(executable_);
}

// Each block writes its number, and, as the last one, what the others wrote.
__global__ void sum_kernel(int* partial, int* sum) {
  partial[blockIdx.x] = static_cast<int>(blockIdx.x) + 1;
  int total = 0;
  for (unsigned i = 0; i <= blockIdx.x; ++i) {
    total += partial[i];
    partial[i] = blockIdx.x + 1 < gridDim.x ? partial[i] : 0;
  }
  *sum = total;
}

// Two kernels that use the same memory between their blocks, which one after another is right.
TEST_F(EmulatorStreamTest, BlocksOfTwoKernelsRunSideBySide) {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    runtime().late_seed = seed;
    std::vector<int> partial(4), sum(2);
    for (int i = 0; i < 2; ++i) {
      launch(sum_kernel, 4, 1, 0, stream_[i], partial.data(), &sum[i]);
    }
    cudaStreamSynchronize(stream_[0]);
    cudaStreamSynchronize(stream_[1]);
    wrong += sum[0] == 10 && sum[1] == 10 ? 0 : 1;
  }
  EXPECT_GT(wrong, 5);
}

}  // namespace

}  // namespace duel::emulator
