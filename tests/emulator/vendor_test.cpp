// Vendor kernels beside ours, with a library of the tests' own (vendor/fake_cublaslt.cpp) in cuBLASLt's place: that the
// descriptors say what the contracts say, who is chosen, what is remembered, and what is said when something is wrong.
// vendor_conv2d_test.cpp does the same with cuDNN.
#include "emulator/runtime.h"
#include "host/device/choice_cache.h"
#include "host/device/device.h"
#include "host/train/trainer.h"
#include "kernels/check.h"
#include "kernels/choice_store.h"
#include "kernels/matmul.h"
#include "tests/emulator/vendor/fixture.h"
#include "tests/support/small_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trained_state.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace duel::test {

namespace {

class VendorTest : public VendorFixture {
protected:
  // Of an algorithm of the tests' library.
  static std::string recipe(int algorithm) { return fmt::format("{:016x}{}", algorithm, std::string(112, '0')); }
  // Prepares a product of [9,33] and [33,17] with a bias, and says what was decided.
  static KernelDecision decide(KernelChoice choice, std::shared_ptr<ChoiceStore> store = nullptr) {
    Context context = Context::cuda(0, false, choice, std::move(store));
    prepare_matmul(context, {}, {nullptr, {9, 33}, DType::f32}, {nullptr, {33, 17}, DType::f32},
                   {nullptr, {17}, DType::f32}, {nullptr, {9, 17}, DType::f32});
    const std::vector<KernelDecision> decisions = context.kernel_decisions();
    return decisions.empty() ? KernelDecision{} : decisions.front();
  }

  TemporaryFolder folder_;
};

TEST_F(VendorTest, EveryCaseOfMatmulIsRight) {
  mood("single");  // timing several would take minutes
  const Count count = run_cases({"matmul"}, "cuBLASLt 6");
  EXPECT_GT(count.cases, 50 * std::ssize(kTf32));
  EXPECT_GT(count.by_vendor, 20 * std::ssize(kTf32));
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
  EXPECT_EQ(decision.timings.size(), 3U);
  EXPECT_NE(decision.kernel, "cuBLASLt 66:0:0:0");
  mood("restless");
  decision = decide(KernelChoice::vendor);
  EXPECT_EQ(decision.note, "cuBLASLt 66:0:0:0 gives other bytes each time");
  EXPECT_NE(decision.kernel, "cuBLASLt 66:0:0:0");
}

// In the norm of 16,384 elements of bf16 it would not show.
TEST_F(VendorTest, OneWrongElementIsNoticed) {
  mood("specked");
  Context context = Context::cuda(0, false, KernelChoice::vendor);
  prepare_matmul(context, {}, {nullptr, {128, 8}, DType::bf16}, {nullptr, {8, 128}, DType::bf16}, View{},
                 {nullptr, {128, 128}, DType::bf16});
  const KernelDecision decision = context.kernel_decisions().at(0);
  EXPECT_NE(decision.note.find("cuBLASLt 66:0:0:0 differs from ours by"), std::string::npos) << decision.note;
  EXPECT_NE(decision.note.find("in one element"), std::string::npos) << decision.note;
  EXPECT_NE(decision.kernel, "cuBLASLt 66:0:0:0");
}

TEST_F(VendorTest, OneThatFailsIsLeftOut) {
  mood("faltering");
  for (const KernelChoice choice : {KernelChoice::vendor, KernelChoice::automatic}) {
    const KernelDecision decision = decide(choice);
    EXPECT_EQ(decision.note,
              "cuBLASLt 66:0:0:0 fails (matmul of f32[9,33] and f32[33,17] to f32[9,17]: cuBLASLt: "
              "CUBLAS_STATUS_EXECUTION_FAILED)");
    EXPECT_NE(decision.kernel, "cuBLASLt 66:0:0:0");
    EXPECT_EQ(decision.timings.size(), choice == KernelChoice::vendor ? 3U : 4U);
  }
}

TEST_F(VendorTest, AFailureNamesOperatorShapesAndTheLibrarysText) {
  mood("broken");
  try {
    decide(KernelChoice::vendor);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::device);
    const std::string text = error.what();
    EXPECT_TRUE(
        text.starts_with("matmul f32[9,33] f32[33,17] f32[17] -> f32[9,17], identity: none of the vendor's "
                         "kernels works: cuBLASLt 66:0:0:0 fails (matmul of f32[9,33] and f32[33,17] to "
                         "f32[9,17]: cuBLASLt: CUBLAS_STATUS_EXECUTION_FAILED); cuBLASLt 67:0:0:0 fails ("))
        << text;
    EXPECT_NE(text.find("cuBLASLt 70:0:0:0 fails"), std::string::npos) << text;
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
  const auto store = std::make_shared<ChoiceCache>(folder_ / "kernels.json");
  for (const std::size_t enough_for : {1024, 6000}) {  // not for the arrays; not for the second algorithm's workspace
    Context context = Context::cuda(0, false, KernelChoice::automatic, store);
    const std::size_t taken = emulator::runtime().memory_bytes - *context.free_bytes();
    emulator::runtime().memory_bytes = taken + enough_for;
    prepare_matmul(context, {}, {nullptr, {9, 33}, DType::f32}, {nullptr, {33, 17}, DType::f32}, View{},
                   {nullptr, {9, 17}, DType::f32});
    emulator::runtime() = {};
    decision = context.kernel_decisions().at(0);
    EXPECT_EQ(decision.kernel, "ours");
    EXPECT_EQ(decision.note,
              "not measured: cuda: allocating a trial's arrays: out of memory (cudaErrorMemoryAllocation)");
    EXPECT_TRUE(store->devices().empty());  // there may be more tomorrow
  }
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
  const auto file = folder_ / "cache" / "kernels.json";
  const auto first = std::make_shared<ChoiceCache>(file);
  const KernelDecision decision = decide(KernelChoice::automatic, first);
  ASSERT_EQ(first->devices().size(), 1U);
  EXPECT_NE(first->devices().begin()->first.find("emulated on the CPU, 3 multiprocessors, driver "), std::string::npos);
  // What is remembered is taken as it stands: a forged choice shows that nothing was measured.
  KernelDecision forged = decision;
  forged.kernel = "cuBLASLt 68:0:0:0";
  forged.recipe = recipe(68);
  forged.timings = {{"ours", 1.0}, {"cuBLASLt 68:0:0:0", 0.5}};
  first->remember(first->devices().begin()->first, forged);
  const auto second = std::make_shared<ChoiceCache>(file);
  EXPECT_EQ(decide(KernelChoice::automatic, second).kernel, "cuBLASLt 68:0:0:0");
  EXPECT_EQ(decide(KernelChoice::automatic, second).timings.size(), 2U);
  // A kernel that the library does not offer any more, one that cannot be read, and another library.
  for (const std::string& gone : {recipe(99), recipe(68).substr(1), std::string("x") + recipe(68).substr(1)}) {
    forged.recipe = gone;
    second->remember(second->devices().begin()->first, forged);
    const KernelDecision again = decide(KernelChoice::automatic, second);
    EXPECT_EQ(again.timings.size(), 4U);
    EXPECT_EQ(again.note, "cuBLASLt 68:0:0:0 was remembered and is not offered any more: measured again");
  }
  ::setenv("DUEL_FAKE_CUBLASLT_VERSION", "139900", 1);
  EXPECT_EQ(decide(KernelChoice::automatic, second).timings.size(), 4U);
  EXPECT_EQ(second->devices().size(), 2U);
}

TEST_F(VendorTest, OneThatIsRememberedAndFailsIsMeasuredAgain) {
  const auto store = std::make_shared<ChoiceCache>(folder_ / "kernels.json");
  KernelDecision decision = decide(KernelChoice::vendor, store);
  ASSERT_EQ(store->devices().size(), 1U);
  decision.kernel = "cuBLASLt 66:0:0:0";
  decision.recipe = recipe(66);
  store->remember(store->devices().begin()->first, decision);
  mood("faltering");
  const KernelDecision again = decide(KernelChoice::vendor, store);
  EXPECT_NE(again.kernel, "cuBLASLt 66:0:0:0");
  EXPECT_NE(again.note.find("cuBLASLt 66:0:0:0 was remembered and fails (matmul of"), std::string::npos) << again.note;
}

TEST_F(VendorTest, WhatIsRememberedIsAllThatIsAskedFor) {
  const auto store = std::make_shared<ChoiceCache>(folder_ / "kernels.json");
  const auto asked_and_built = [&](KernelChoice choice) {
    vendor_log = {};
    decide(choice, store);
    return std::pair(vendor_log.asked, vendor_log.built);
  };
  EXPECT_EQ(asked_and_built(KernelChoice::automatic), std::pair(1, 0));
  KernelDecision forged = decide(KernelChoice::automatic, store);
  const std::string device = store->devices().begin()->first;
  forged.kernel = "cuBLASLt 67:0:0:0";
  forged.recipe = recipe(67);
  store->remember(device, forged);
  EXPECT_EQ(asked_and_built(KernelChoice::automatic), std::pair(0, 1));
  forged.kernel = "ours";
  forged.recipe.clear();
  store->remember(device, forged);
  EXPECT_EQ(asked_and_built(KernelChoice::automatic), std::pair(0, 0));
  // The vendor's by itself, also where there is one only or none.
  EXPECT_EQ(asked_and_built(KernelChoice::vendor), std::pair(1, 0));
  EXPECT_EQ(asked_and_built(KernelChoice::vendor), std::pair(0, 1));
  EXPECT_EQ(store->devices().size(), 2U);
  for (const char* const what : {"single", "unsupported"}) {
    mood(what);
    const auto empty = std::make_shared<ChoiceCache>(folder_ / what);
    const std::string first = decide(KernelChoice::vendor, empty).kernel;
    EXPECT_EQ(first, what == std::string("single") ? "cuBLASLt 66:0:0:0" : "ours");
    vendor_log = {};
    EXPECT_EQ(decide(KernelChoice::vendor, empty).kernel, first);
    EXPECT_EQ(vendor_log.asked, 0) << what;
  }
  // What may be otherwise tomorrow is asked for again.
  mood("failing");
  const auto empty = std::make_shared<ChoiceCache>(folder_ / "failing");
  decide(KernelChoice::automatic, empty);
  EXPECT_TRUE(empty->devices().empty());
}

// Ours among them, and each once a window; no window but the first begins as the one before did.
TEST_F(VendorTest, KernelsAreTimedInTurn) {
  decide(KernelChoice::automatic);
  std::vector<int> order(static_cast<std::size_t>(emulator::runtime().graph_launches));  // 0: ours
  ASSERT_EQ(order.size(), 4U * 6);  // of four kernels, five windows and one to begin with
  for (const VendorLog::Run& run : vendor_log.runs) {
    if (run.graph_launches > 0) {
      order[static_cast<std::size_t>(run.graph_launches) - 1] = static_cast<int>(run.algorithm);
    }
  }
  for (std::size_t window = 0; window < 6; ++window) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(4 * window);
    EXPECT_EQ(std::set<int>(begin, begin + 4), (std::set<int>{0, 66, 67, 68}));
    EXPECT_TRUE(window < 2 || *begin != *(begin - 4));
  }
}

TEST_F(VendorTest, TheFirstTrialOfAGpuWaitsForItsClocks) {
  emulator::runtime().clock_khz = 1;
  Context context = Context::cuda(0, false, KernelChoice::automatic);
  const auto decide_rows = [&](int rows) {
    const int before = emulator::runtime().graph_launches;
    const auto begin = std::chrono::steady_clock::now();
    prepare_matmul(context, {}, {nullptr, {rows, 3}, DType::f32}, {nullptr, {3, 5}, DType::f32}, View{},
                   {nullptr, {rows, 5}, DType::f32});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return std::pair(emulator::runtime().graph_launches - before, seconds.count());
  };
  const auto [launches, seconds] = decide_rows(2);
  EXPECT_GT(launches, 4 * 6);
  EXPECT_GE(seconds, 0.3);
  EXPECT_EQ(decide_rows(3).first, 4 * 6);
}

// The libraries refuse to run first inside a capture, on each stream.
TEST_F(VendorTest, AKernelHasRunOnEachLaneBeforeItIsCaptured) {
  mood("single");
  const auto store = std::make_shared<ChoiceCache>(folder_ / "kernels.json");
  for (const char* const when : {"measured", "remembered"}) {
    for (const int lanes_before : {1, 2}) {
      SCOPED_TRACE(std::string(when) + ", lanes before it: " + std::to_string(lanes_before));
      Context context = Context::cuda(0, false, KernelChoice::vendor, when[0] == 'm' ? nullptr : store);
      if (store->devices().empty()) {
        decide(KernelChoice::vendor, store);
      }
      vendor_log = {};
      context.open_lanes(lanes_before, 0);
      Arrays arrays(context);
      const View a = arrays.add({9, 33}, DType::f32, 2), b = arrays.add({33, 17}, DType::f32, 0.5F),
                 bias = arrays.add({17}, DType::f32, -1), y = arrays.add({9, 17}, DType::f32, 0);
      prepare_matmul(context, {}, a, b, bias, y);
      context.open_lanes(2, 2);
      EXPECT_EQ(vendor_log.asked, when[0] == 'm' ? 1 : 0);
      capture(context, 2, [&] { matmul(context, {}, a, b, bias, y); });
      EXPECT_EQ(*static_cast<const float*>(y.data), 32);
      EXPECT_EQ(vendor_log.runs.back().algorithm, 66);
    }
  }
}

// cuBLASLt has no f32 bias for a bf16 result.
TEST_F(VendorTest, ADenseLayerInBf16) {
  const auto bf16 = [](float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<std::uint16_t>(bits >> 16);
  };
  for (const char* const what : {"single", "unfused"}) {
    mood(what);
    SCOPED_TRACE(what);
    const auto store = std::make_shared<ChoiceCache>(folder_ / what);
    for (int i = 0; i < 2; ++i) {  // the second time it is remembered
      Context context = Context::cuda(0, false, KernelChoice::vendor, store);
      context.open_lanes(2, 2);
      Arrays arrays(context);
      // The bias is no bf16 number: rounded to one, it would be 257, and y 0.
      const View a = arrays.add({9, 33}, DType::bf16, 2), b = arrays.add({33, 17}, DType::bf16, -4),
                 bias = arrays.add({17}, DType::f32, 265.5F), y = arrays.add({9, 17}, DType::bf16, 0);
      const std::size_t before = context.workspace_bytes();
      const Matmul relu{false, false, {ActivationKind::relu, 0}};
      prepare_matmul(context, relu, a, b, bias, y);
      EXPECT_EQ(context.workspace_bytes() - before, 2 * 768);  // of two lanes; 9 * 17 sums are 612 bytes
      const KernelDecision decision = context.kernel_decisions().at(0);
      EXPECT_EQ(decision.kernel,
                what[0] == 's' ? "cuBLASLt 66:0:0:0 + our cast" : "cuBLASLt 66:0:0:0 + our bias_act and cast");
      capture(context, 2, [&] { matmul(context, relu, a, b, bias, y); });
      const auto* const values = static_cast<const std::uint16_t*>(y.data);
      EXPECT_EQ(std::vector(values, values + 9 * 17), std::vector(9 * 17, bf16(1.5F)));
    }
  }
}

// Training by the vendor's products and convolutions is captured, replayed and right.
TEST_F(VendorTest, ATrainingByTheVendorsKernels) {
  mood("single");
  Options options = small_options("steady");
  options.device = "cuda";
  const Data dataset = small_dataset(options);
  std::size_t metrics = 0;
  const auto train = [&](const char* kernels, const char* launch, int steps_per_launch) {
    options.kernels = kernels;
    options.schedule = {"device", launch, steps_per_launch};
    Context context = make_context(options);
    Trainer trainer(context, options, dataset);
    trainer.run_to(6);
    std::vector<float> state = trainer.read_metrics();
    metrics = state.size();
    const std::vector<float> saved = state_of(trainer);
    state.insert(state.end(), saved.begin(), saved.end());
    return state;
  };
  const std::vector<float> ours = train("ours", "graph", 2), vendor = train("vendor", "eager", 1);
  EXPECT_EQ(train("vendor", "graph", 2), vendor);
  EXPECT_NE(ours, vendor);  // sums in another order
  for (std::size_t i = 0; i < metrics; ++i) {
    EXPECT_NEAR(ours[i], vendor[i], 1e-3);
  }
}

}  // namespace

}  // namespace duel::test
