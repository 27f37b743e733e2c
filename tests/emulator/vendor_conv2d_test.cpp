// Convolutions by cuDNN, with a library of the tests' own (vendor/fake_cudnn.cpp) in its place. cudnn_test.cpp asks the
// real one.
#include "host/device/choice_cache.h"
#include "kernels/check.h"
#include "kernels/conv2d.h"
#include "tests/emulator/vendor/fixture.h"

#include <cudnn.h>

#include <utility>

namespace duel::test {

namespace {

class VendorConv2dTest : public VendorFixture {
protected:
  static KernelDecision decide(KernelChoice choice, DType type = DType::f32, bool tf32 = false,
                               std::shared_ptr<ChoiceStore> store = nullptr) {
    Context context = Context::cuda(0, tf32, choice, std::move(store));
    prepare_conv2d_forward(context, Conv2d::same(3), {ActivationKind::relu, 0}, {nullptr, {2, 5, 4, 3}, type},
                           {nullptr, {6, 3, 3, 3}, type}, {nullptr, {6}, DType::f32}, {nullptr, {2, 5, 4, 6}, type});
    const std::vector<KernelDecision> decisions = context.kernel_decisions();
    return decisions.empty() ? KernelDecision{} : decisions.front();
  }
};

TEST_F(VendorConv2dTest, EveryCaseIsRight) {
  mood("single");
  const Count count = run_cases({"conv2d_forward", "conv2d_backward_input", "conv2d_backward_weight"}, "cuDNN eng40");
  EXPECT_GT(count.cases, 50 * std::ssize(kTf32));
  EXPECT_GT(count.by_vendor, 30 * std::ssize(kTf32));
}

TEST_F(VendorConv2dTest, EveryForwardCaseIsRightWithOurBiasAndActivationBehindIt) {
  mood("unfused");
  const Count count = run_cases({"conv2d_forward"}, "cuDNN eng40");
  EXPECT_GT(count.cases, 15 * std::ssize(kTf32));
  EXPECT_GT(count.by_vendor, 5 * std::ssize(kTf32));
  const KernelDecision decision = decide(KernelChoice::vendor);
  EXPECT_TRUE(decision.kernel.ends_with("=7 + our bias_act")) << decision.kernel;
}

TEST_F(VendorConv2dTest, OnlyEnginesThatKeepTheContractAreTried) {
  const auto names = [](const KernelDecision& decision) {
    std::set<std::string> kernels;
    for (const KernelTiming& timing : decision.timings) {
      kernels.insert(timing.kernel);
    }
    return kernels;
  };
  const KernelDecision decision = decide(KernelChoice::automatic);
  EXPECT_EQ(decision.problem,
            "conv2d_forward f32[2,5,4,3] f32[6,3,3,3] f32[6] -> f32[2,5,4,6], stride 1, padding 1,1,1,1, relu");
  const std::string knob = " k" + std::to_string(static_cast<int>(CUDNN_KNOB_TYPE_TILE_SIZE)) + "=7";
  using Names = std::set<std::string>;
  EXPECT_EQ(names(decision), (Names{"ours", "cuDNN eng40" + knob, "cuDNN eng41" + knob, "cuDNN eng46" + knob}));
  const Names with_tensor_cores{"ours", "cuDNN eng40" + knob, "cuDNN eng41" + knob, "cuDNN eng43" + knob};
  EXPECT_EQ(names(decide(KernelChoice::automatic, DType::f32, true)), with_tensor_cores);
  vendor_log = {};
  EXPECT_EQ(names(decide(KernelChoice::automatic, DType::bf16)), with_tensor_cores);
  EXPECT_EQ(vendor_log.built, 3);  // and a fourth is not built
}

TEST_F(VendorConv2dTest, WhatIsRememberedIsAllThatIsBuilt) {
  const TemporaryFolder folder;
  for (const char* const what : {"", "unfused"}) {
    mood(what);
    const auto store = std::make_shared<ChoiceCache>(folder / (std::string("kernels.json") + what));
    const KernelDecision decision = decide(KernelChoice::vendor, DType::f32, false, store);
    EXPECT_GT(vendor_log.asked, 0);
    EXPECT_EQ(decision.kernel.ends_with(" + our bias_act"), what[0] == 'u') << decision.kernel;
    ASSERT_EQ(store->devices().size(), 1U);
    vendor_log = {};
    EXPECT_EQ(decide(KernelChoice::vendor, DType::f32, false, store).kernel, decision.kernel);
    EXPECT_EQ(vendor_log.asked, 0);
    EXPECT_EQ(vendor_log.built, 1);
    KernelDecision forged = decision;
    forged.kernel = "ours";
    store->remember(store->devices().begin()->first, forged);
    vendor_log = {};
    EXPECT_EQ(decide(KernelChoice::vendor, DType::f32, false, store).kernel, "ours");
    EXPECT_EQ(vendor_log.built, 0);
    for (const char* const gone : {"eng47 k10=7", "eng40 k10=8", "eng42 k10=7", "eng40 k10", "", "x"}) {
      forged.kernel = std::string("cuDNN ") + gone;
      forged.recipe = gone;
      store->remember(store->devices().begin()->first, forged);
      const KernelDecision again = decide(KernelChoice::vendor, DType::f32, false, store);
      EXPECT_TRUE(again.kernel.starts_with("cuDNN eng4")) << again.kernel;
      EXPECT_NE(again.note.find("was remembered and is not offered any more"), std::string::npos) << gone << again.note;
    }
  }
}

// The library refuses to run first inside a capture, on each stream.
TEST_F(VendorConv2dTest, AKernelHasRunOnEachLaneBeforeItIsCaptured) {
  const TemporaryFolder folder;
  const Conv2d conv = Conv2d::same(3);
  for (const char* const what : {"single", "unfused"}) {
    mood(what);
    const auto store = std::make_shared<ChoiceCache>(folder / what);
    for (const int lanes_before : {1, 2, 1, 2}) {  // measured first, and then remembered
      Context context = Context::cuda(0, false, KernelChoice::vendor, store);
      context.open_lanes(lanes_before, 0);
      Arrays arrays(context);
      const View x = arrays.add({2, 5, 4, 3}, DType::f32, 1), w = arrays.add({6, 3, 3, 3}, DType::f32, 2),
                 bias = arrays.add({6}, DType::f32, -1), y = arrays.add({2, 5, 4, 6}, DType::f32, 0),
                 dx = arrays.add(x.shape, DType::f32, 0), dw = arrays.add(w.shape, DType::f32, 0);
      const Activation relu{ActivationKind::relu, 0};
      prepare_conv2d_forward(context, conv, relu, x, w, bias, y);
      prepare_conv2d_backward_input(context, conv, y, w, dx);
      prepare_conv2d_backward_weight(context, conv, x, y, dw);
      context.open_lanes(2, 2);
      capture(context, 2, [&] {
        conv2d_forward(context, conv, relu, x, w, bias, y);
        conv2d_backward_input(context, conv, y, w, dx);
        conv2d_backward_weight(context, conv, x, y, dw);
      });
      EXPECT_EQ(*static_cast<const float*>(y.data), 23);  // 2 * 2 * 3 products of 2, and the bias
      EXPECT_EQ(vendor_log.runs.back().algorithm, 40);
    }
  }
}

TEST_F(VendorConv2dTest, OneThatFailsIsLeftOut) {
  mood("faltering");
  for (const KernelChoice choice : {KernelChoice::vendor, KernelChoice::automatic}) {
    const KernelDecision decision = decide(choice);
    EXPECT_NE(decision.note.find("fails (conv2d_forward of"), std::string::npos) << decision.note;
    EXPECT_EQ(decision.timings.size(), choice == KernelChoice::vendor ? 2U : 3U);
  }
}

TEST_F(VendorConv2dTest, WhatIsWrongRestlessOrMissingLeavesOurs) {
  mood("wrong");
  KernelDecision decision = decide(KernelChoice::vendor);
  EXPECT_NE(decision.note.find("differs from ours by 1.0e-02"), std::string::npos) << decision.note;
  EXPECT_NE(decision.kernel.substr(0, 11), "cuDNN eng40");
  mood("restless");
  decision = decide(KernelChoice::vendor);
  EXPECT_NE(decision.note.find("gives other bytes each time"), std::string::npos) << decision.note;
  EXPECT_NE(decision.kernel.substr(0, 11), "cuDNN eng40");
  mood("unsupported");
  EXPECT_EQ(decide(KernelChoice::automatic).kernel, "ours");
  EXPECT_EQ(decide(KernelChoice::vendor).note, "no library has a kernel for it");
  mood("unfused");  // the sum would be rounded to bf16 before the bias is added
  EXPECT_EQ(decide(KernelChoice::vendor, DType::bf16).kernel, "ours");
}

TEST_F(VendorConv2dTest, AFailureNamesOperatorShapesAndTheLibrarysText) {
  for (const char* const what : {"broken", "failing"}) {
    mood(what);
    const KernelDecision decision = decide(KernelChoice::automatic);
    EXPECT_EQ(decision.kernel, "ours");
    EXPECT_NE(
        decision.note.find("conv2d_forward of f32[2,5,4,3] and f32[6,3,3,3] to f32[2,5,4,6]: cuDNN: CUDNN_STATUS_"),
        std::string::npos)
        << decision.note;
    try {
      decide(KernelChoice::vendor);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::device);
      EXPECT_NE(std::string(error.what()).find("(as the test wants it)"), std::string::npos) << error.what();
    }
  }
}

}  // namespace

}  // namespace duel::test
