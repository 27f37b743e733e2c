// Tests with libraries of the tests' own (fake_cublaslt.cpp, fake_cudnn.cpp) in the vendor's place.
#pragma once

#include "emulator/runtime.h"
#include "kernels/address_sanitizer.h"
#include "kernels/choice_store.h"
#include "kernels/elementwise.h"
#include "tests/emulator/vendor/fake_libraries.h"
#include "tests/emulator/vendor/log.h"
#include "tests/support/op_runner.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <set>
#include <vector>

namespace duel::test {

class VendorFixture : public testing::Test {
protected:
  void SetUp() override {
    backends().front().open(0);  // the order of execution
    ::setenv("DUEL_CUDA_LIBRARIES", fake_libraries(), 1);
    ::setenv("XDG_CACHE_HOME", cache_.path().c_str(), 1);  // what these libraries do is not to be remembered
    mood(nullptr);
    vendor_log = {};
  }
  void TearDown() override {
    ::unsetenv("DUEL_CUDA_LIBRARIES");
    ::unsetenv("XDG_CACHE_HOME");
    emulator::runtime() = {};
    ::unsetenv("DUEL_FAKE_CUBLASLT_VERSION");
    mood(nullptr);
  }
  static void mood(const char* text) {  // element.h lists them
    text == nullptr ? ::unsetenv("DUEL_FAKE_VENDOR") : ::setenv("DUEL_FAKE_VENDOR", text, 1);
  }

  // Captures and launches what `queue` queues on each lane.
  static void capture(Context& context, int lanes, const std::function<void()>& queue) {
    const auto stream = static_cast<cudaStream_t>(context.native_stream());
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    cudaGraph_t graph = nullptr;
    try {
      for (int lane = 0; lane < lanes; ++lane) {
        context.set_mark(0);
        context.select_lane(lane);
        context.await_mark(0);
        queue();
        context.set_mark(1);
        context.select_lane(0);
        context.await_mark(1);
      }
    } catch (const Error& error) {
      context.select_lane(0);
      cudaStreamEndCapture(stream, &graph);
      FAIL() << error.what();
    }
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    cudaGraphExec_t executable = nullptr;
    ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
    context.synchronize();
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
  }

  // Arrays on the device.
  class Arrays {
  public:
    explicit Arrays(Context& context) : context_(context) {}
    ~Arrays() {
      for (void* const data : allocated_) {
        context_.release(data);
      }
    }
    View add(Shape shape, DType type, float value) {
      View view{nullptr, shape, type};
      view.data = context_.allocate(view.bytes());
      allocated_.push_back(view.data);
      fill(context_, value, view);
      return view;
    }

  private:
    Context& context_;
    std::vector<void*> allocated_;
  };

  struct Count {
    int cases = 0, by_vendor = 0;  // problems, of which one may serve several cases
  };
  // Runs every case of these operators with the vendor's kernels, with and without TF32; under AddressSanitizer, which
  // sees the same accesses in both, only with it.
  static Count run_cases(const std::set<std::string>& ops, const std::string& vendor_prefix) {
    Count count;
    for (const bool tf32 : kTf32) {
      const auto context = std::make_shared<Context>(Context::cuda(0, tf32, KernelChoice::vendor));
      const Backend backend{"vendor", {0}, true, [&](int) { return context; }, tf32, backends().front().repeats};
      for (const OpCase& op_case : all_cases()) {
        if (ops.contains(op_case.op) && !op_case.is_perf() && takes(backend, op_case)) {
          EXPECT_EQ(run_contract(backend, op_case).problem, "") << op_case.full_name();
          ++count.cases;
        }
      }
      for (const KernelDecision& decision : context->kernel_decisions()) {
        count.by_vendor += decision.kernel.starts_with(vendor_prefix);
      }
    }
    return count;
  }

#if DUEL_ASAN
  static constexpr std::array kTf32 = {true};
#else
  static constexpr std::array kTf32 = {false, true};
#endif

private:
  TemporaryFolder cache_;
};

}  // namespace duel::test
