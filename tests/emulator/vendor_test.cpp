// Vendor kernels beside ours, with a library of the tests' own (vendor/fake_cublaslt.cpp) in cuBLASLt's place: that the
// descriptors say what the contracts say, who is chosen, what is remembered, and what is said when something is wrong.
// vendor_conv2d_test.cpp does the same with cuDNN.
#include "emulator/runtime.h"
#include "host/choice_cache.h"
#include "host/device.h"
#include "host/trainer.h"
#include "kernels/check.h"
#include "kernels/choice_store.h"
#include "kernels/matmul.h"
#include "tests/emulator/vendor/fixture.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trained_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace duel::test {

namespace {

class VendorTest : public VendorFixture {
protected:
  // Prepares a product of [9,33] and [33,17] with a bias, and says what was decided.
  static KernelDecision decide(KernelChoice choice, std::shared_ptr<ChoiceStore> store = nullptr) {
    Context context = Context::cuda(0, false, choice, std::move(store));
    prepare_matmul(context, {}, {nullptr, {9, 33}, DType::f32}, {nullptr, {33, 17}, DType::f32},
                   {nullptr, {17}, DType::f32}, {nullptr, {9, 17}, DType::f32});
    const std::vector<KernelDecision> decisions = context.kernel_decisions();
    return decisions.empty() ? KernelDecision{} : decisions.front();
  }
};

TEST_F(VendorTest, EveryCaseOfMatmulIsRight) {
  mood("single");  // timing several would take minutes
  const Count count = run_cases({"matmul"}, "cuBLASLt 6");
  EXPECT_GT(count.cases, 100);
  EXPECT_GT(count.by_vendor, 40);
}

TEST_F(VendorTest, TheQuickestIsTakenAndOursWhereThereIsNoOther) {
  const KernelDecision decision = decide(KernelChoice::automatic);
  EXPECT_EQ(decision.problem, "matmul f32[9,33] f32[33,17] f32[17] -> f32[9,17], identity");
  ASSERT_EQ(decision.timings.size(), 4U);
  const auto least = std::min_element(decision.timings.begin(), decision.timings.end(),
                                      [](const KernelTiming& a, const KernelTiming& b) { return a.us < b.us; });
  EXPECT_EQ(decision.kernel, least->kernel);
  mood("unsupported");
  EXPECT_EQ(decide(KernelChoice::automatic).kernel, "ours");
  EXPECT_EQ(decide(KernelChoice::vendor).note, "no library has a kernel for it");
  EXPECT_EQ(decide(KernelChoice::ours).kernel, "");
}

TEST_F(VendorTest, WhatIsWrongOrRestlessIsLeftOut) {
  mood("wrong");
  KernelDecision decision = decide(KernelChoice::vendor);
  EXPECT_EQ(decision.note.substr(0, 34), "cuBLASLt 66:0:0:0 differs from our") << decision.note;
  EXPECT_EQ(decision.timings.size(), 2U);
  EXPECT_NE(decision.kernel, "cuBLASLt 66:0:0:0");
  mood("restless");
  decision = decide(KernelChoice::vendor);
  EXPECT_EQ(decision.note, "cuBLASLt 66:0:0:0 gives other bytes each time");
  EXPECT_NE(decision.kernel, "cuBLASLt 66:0:0:0");
}

TEST_F(VendorTest, AFailureNamesOperatorShapesAndTheLibrarysText) {
  mood("broken");
  try {
    decide(KernelChoice::vendor);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::device);
    EXPECT_STREQ(error.what(),
                 "matmul of f32[9,33] and f32[33,17] to f32[9,17]: cuBLASLt: CUBLAS_STATUS_EXECUTION_FAILED");
  }
}

TEST_F(VendorTest, AutoGoesOnWithOursWhereTheLibraryFailsOrMemoryIsShort) {
  mood("failing");
  KernelDecision decision = decide(KernelChoice::automatic);
  EXPECT_EQ(decision.kernel, "ours");
  EXPECT_EQ(decision.note, "matmul of f32[9,33] and f32[33,17] to f32[9,17]: cuBLASLt: CUBLAS_STATUS_EXECUTION_FAILED");
  mood("broken");
  decision = decide(KernelChoice::automatic);
  EXPECT_EQ(decision.kernel, "ours");
  EXPECT_NE(decision.note.find("cuBLASLt 66:0:0:0 fails (matmul of"), std::string::npos) << decision.note;
  mood(nullptr);
  Context context = Context::cuda(0, false, KernelChoice::automatic);
  const std::size_t taken = emulator::runtime().memory_bytes - *context.free_bytes();
  emulator::runtime().memory_bytes = taken + 1024;
  prepare_matmul(context, {}, {nullptr, {9, 33}, DType::f32}, {nullptr, {33, 17}, DType::f32}, View{},
                 {nullptr, {9, 17}, DType::f32});
  emulator::runtime() = {};
  decision = context.kernel_decisions().at(0);
  EXPECT_EQ(decision.kernel, "ours");
  EXPECT_EQ(decision.note,
            "not measured: cuda: allocating a trial's arrays: out of memory (cudaErrorMemoryAllocation)");
}

TEST_F(VendorTest, WithoutTheLibraryAutoIsOursAndVendorAnError) {
  const TemporaryFolder empty;
  ::setenv("DUEL_CUDA_LIBRARIES", empty.path().c_str(), 1);
  EXPECT_EQ(decide(KernelChoice::automatic).kernel, "");
  try {
    decide(KernelChoice::vendor);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::device);
    EXPECT_NE(std::string(error.what()).find("libcublasLt.so."), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("use --kernels ours"), std::string::npos) << error.what();
  }
}

TEST_F(VendorTest, ChoicesAreRememberedAndMeasuredAgainForAnotherLibrary) {
  const TemporaryFolder folder;
  const auto file = folder / "cache" / "kernels.json";
  const auto first = std::make_shared<ChoiceCache>(file);
  const KernelDecision decision = decide(KernelChoice::automatic, first);
  ASSERT_EQ(first->devices().size(), 1U);
  EXPECT_NE(first->devices().begin()->first.find("emulated on the CPU, 3 multiprocessors, driver "), std::string::npos);
  // What is remembered is taken as it stands: a forged choice shows that nothing was measured.
  KernelDecision forged = decision;
  forged.kernel = "cuBLASLt 68:0:0:0";
  forged.timings = {{"ours", 1.0}, {"cuBLASLt 68:0:0:0", 0.5}};
  first->remember(first->devices().begin()->first, forged);
  const auto second = std::make_shared<ChoiceCache>(file);
  EXPECT_EQ(decide(KernelChoice::automatic, second).kernel, "cuBLASLt 68:0:0:0");
  EXPECT_EQ(decide(KernelChoice::automatic, second).timings.size(), 2U);
  // A kernel that the library does not offer any more, and another library.
  forged.kernel = "cuBLASLt 99:0:0:0";
  second->remember(second->devices().begin()->first, forged);
  const KernelDecision again = decide(KernelChoice::automatic, second);
  EXPECT_EQ(again.timings.size(), 4U);
  EXPECT_NE(again.note.find("cuBLASLt 99:0:0:0 was remembered and is not offered any more"), std::string::npos);
  ::setenv("DUEL_FAKE_CUBLASLT_VERSION", "139900", 1);
  EXPECT_EQ(decide(KernelChoice::automatic, second).timings.size(), 4U);
  EXPECT_EQ(second->devices().size(), 2U);
}

// Training by the vendor's products and convolutions is captured, replayed and right.
TEST_F(VendorTest, ATrainingByTheVendorsKernels) {
  mood("single");
  Options options = small_options("steady");
  options.device = "cuda";
  const Dataset dataset = small_dataset(options);
  const auto train = [&](const char* kernels, const char* launch, int steps_per_launch) {
    options.kernels = kernels;
    options.schedule = {"device", launch, steps_per_launch};
    Context context = make_context(options);
    Trainer trainer(context, options, dataset);
    trainer.run_to(6);
    std::vector<float> state = trainer.read_metrics();
    const std::vector<float> saved = state_of(trainer);
    state.insert(state.end(), saved.begin(), saved.end());
    return state;
  };
  const std::vector<float> ours = train("ours", "graph", 2), vendor = train("vendor", "eager", 1);
  EXPECT_EQ(train("vendor", "graph", 2), vendor);
  EXPECT_NE(ours, vendor);  // sums in another order
  for (std::size_t i = 0; i < gan_metrics(options).size(); ++i) {
    EXPECT_NEAR(ours[i], vendor[i], 1e-3);
  }
}

}  // namespace

}  // namespace duel::test
