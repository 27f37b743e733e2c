// Tests with libraries of the tests' own (fake_cublaslt.cpp, fake_cudnn.cpp) in the vendor's place.
#pragma once

#include "kernels/choice_store.h"
#include "tests/support/op_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace duel::test {

class VendorFixture : public testing::Test {
protected:
  void SetUp() override {
    backends().front().open(0);  // the order of execution
    ::setenv("DUEL_CUDA_LIBRARIES", DUEL_FAKE_LIBRARIES, 1);
    mood(nullptr);
  }
  void TearDown() override {
    ::unsetenv("DUEL_CUDA_LIBRARIES");
    ::unsetenv("DUEL_FAKE_CUBLASLT_VERSION");
    mood(nullptr);
  }
  static void mood(const char* text) {  // element.h lists them
    text == nullptr ? ::unsetenv("DUEL_FAKE_VENDOR") : ::setenv("DUEL_FAKE_VENDOR", text, 1);
  }

  struct Count {
    int cases = 0, by_vendor = 0;  // problems, of which one may serve several cases
  };
  // Runs every case of these operators with the vendor's kernels, with and without TF32.
  static Count run_cases(const std::set<std::string>& ops, const std::string& vendor_prefix) {
    Count count;
    for (const bool tf32 : {false, true}) {
      const auto context = std::make_shared<Context>(Context::cuda(0, tf32, KernelChoice::vendor));
      const Backend backend{"vendor", {0}, true, [&](int) { return context; }, tf32};
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
};

}  // namespace duel::test
