// Convolutions by cuDNN, with a library of the tests' own (vendor/fake_cudnn.cpp) in its place. cudnn_test.cpp asks the
// real one.
#include "kernels/check.h"
#include "kernels/conv2d.h"
#include "tests/emulator/vendor/fixture.h"

#include <cudnn.h>

namespace duel::test {

namespace {

class VendorConv2dTest : public VendorFixture {
protected:
  static KernelDecision decide(KernelChoice choice, DType type = DType::f32, bool tf32 = false) {
    Context context = Context::cuda(0, tf32, choice);
    prepare_conv2d_forward(context, Conv2d::same(3), {ActivationKind::relu, 0}, {nullptr, {2, 5, 4, 3}, type},
                           {nullptr, {6, 3, 3, 3}, type}, {nullptr, {6}, DType::f32}, {nullptr, {2, 5, 4, 6}, type});
    const std::vector<KernelDecision> decisions = context.kernel_decisions();
    return decisions.empty() ? KernelDecision{} : decisions.front();
  }
};

TEST_F(VendorConv2dTest, EveryCaseIsRight) {
  mood("single");
  const Count count = run_cases({"conv2d_forward", "conv2d_backward_input", "conv2d_backward_weight"}, "cuDNN eng40");
  EXPECT_GT(count.cases, 100);
  EXPECT_GT(count.by_vendor, 60);
}

TEST_F(VendorConv2dTest, EveryForwardCaseIsRightWithOurBiasAndActivationBehindIt) {
  mood("unfused");
  const Count count = run_cases({"conv2d_forward"}, "cuDNN eng40");
  EXPECT_GT(count.cases, 30);
  EXPECT_GT(count.by_vendor, 10);
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
  EXPECT_EQ(names(decision), (Names{"ours", "cuDNN eng40" + knob, "cuDNN eng41" + knob}));
  const Names with_tensor_cores{"ours", "cuDNN eng40" + knob, "cuDNN eng41" + knob, "cuDNN eng43" + knob};
  EXPECT_EQ(names(decide(KernelChoice::automatic, DType::f32, true)), with_tensor_cores);
  EXPECT_EQ(names(decide(KernelChoice::automatic, DType::bf16)), with_tensor_cores);
}

TEST_F(VendorConv2dTest, WhatIsWrongRestlessOrMissingLeavesOurs) {
  mood("wrong");
  KernelDecision decision = decide(KernelChoice::vendor);
  EXPECT_NE(decision.note.find("differs from ours by 1.0e-02"), std::string::npos) << decision.note;
  EXPECT_TRUE(decision.kernel.starts_with("cuDNN eng41")) << decision.kernel;
  mood("restless");
  decision = decide(KernelChoice::vendor);
  EXPECT_NE(decision.note.find("gives other bytes each time"), std::string::npos) << decision.note;
  EXPECT_TRUE(decision.kernel.starts_with("cuDNN eng41")) << decision.kernel;
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
