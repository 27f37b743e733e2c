// The real cuDNN, where this machine has one, asked what it would run on an H100: no GPU is needed for that. It shows
// that the library takes our descriptors and has engines for the presets' convolutions; that these are right is shown
// by vendor_conv2d_test.cpp with a library of the tests' own, and on a GPU. Engines that it compiles at run time need a
// driver, and are not seen here: leaky ReLU, a bias behind bf16, and f32 weight gradients of bf16 arrays.
#include "kernels/cuda/cudnn.h"
#include "kernels/address_sanitizer.h"
#include "kernels/cuda/conv2d_cudnn.h"
#include "tests/emulator/vendor/h100.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

namespace duel::test {

namespace {

struct Layer {
  const char* name;
  Shape x, w, y;
  Conv2d conv;
};

// Of the classic and steady presets at batch 64, whose discriminator sees real and fake pictures at once, and of DCGAN.
std::vector<Layer> layers() {
  return {{"classic conv1", {128, 28, 28, 1}, {32, 3, 3, 1}, {128, 28, 28, 32}, Conv2d::same(3)},
          {"classic conv2", {128, 28, 28, 32}, {64, 3, 3, 32}, {128, 28, 28, 64}, Conv2d::same(3)},
          {"DCGAN", {128, 16, 16, 128}, {256, 4, 4, 128}, {128, 8, 8, 256}, {2, 1, 1, 1, 1}}};
}

class RealCudnnTest : public testing::Test {
protected:
  void SetUp() override {
#if DUEL_ASAN
    GTEST_SKIP() << "the library leaks, which is not ours to mend";
#endif
    library_ = std::make_unique<Cudnn>(kH100);
    if (!library_->is_usable()) {
      GTEST_SKIP() << library_->why_not();
    }
  }
  // Each of which is built again from its recipe.
  static std::string names(const std::unique_ptr<VendorPlans>& plans) {
    std::string text;
    for (int i = 0; i < 3; ++i) {
      const std::unique_ptr<VendorPlan> plan = plans->next();
      if (!plan) {
        break;
      }
      text += "\n    " + plan->name() + ", workspace " + std::to_string(plan->workspace_bytes());
      const std::unique_ptr<VendorPlan> again = plans->rebuild(plan->recipe());
      EXPECT_NE(again, nullptr) << plan->name();
      if (again) {
        EXPECT_EQ(again->name(), plan->name());
        EXPECT_EQ(again->workspace_bytes(), plan->workspace_bytes());
      }
    }
    return text;
  }
  std::unique_ptr<Cudnn> library_;
};

TEST_F(RealCudnnTest, TakesOurDescriptionsOfThePresetsConvolutions) {
  for (const Layer& layer : layers()) {
    for (const auto& precision : {std::pair(DType::f32, false), {DType::f32, true}, {DType::bf16, false}}) {
      const DType type = precision.first;
      const bool tf32 = precision.second;
      const View x{nullptr, layer.x, type}, w{nullptr, layer.w, type}, y{nullptr, layer.y, type},
          bias{nullptr, {layer.w[0]}, DType::f32}, dw{nullptr, layer.w, DType::f32};
      const std::string what = std::string(layer.name) + (type == DType::bf16 ? " bf16" : tf32 ? " tf32" : " f32");
      const auto forward = [&](const Activation& activation, View b) {
        return names(cudnn_conv2d_forward_plans(*library_, layer.conv, activation, tf32, x, w, b, y));
      };
      const std::string plain = forward({}, View{}), relu = forward({ActivationKind::relu, 0}, bias),
                        leaky = forward({ActivationKind::leaky_relu, 0.2F}, bias),
                        input = names(cudnn_conv2d_backward_input_plans(*library_, layer.conv, tf32, y, w, x)),
                        weight = names(cudnn_conv2d_backward_weight_plans(*library_, layer.conv, tf32, x, y, dw));
      std::printf(
          "%s\n  forward%s\n  with bias and relu%s\n  with bias and leaky relu%s\n  backward_input%s\n"
          "  backward_weight%s\n",
          what.c_str(), plain.c_str(), relu.c_str(), leaky.c_str(), input.c_str(), weight.c_str());
      EXPECT_NE(plain, "") << what;
      EXPECT_NE(input, "") << what;
      if (type == DType::f32) {
        EXPECT_NE(relu, "") << what;
        EXPECT_NE(weight, "") << what;
      }
    }
  }
}

}  // namespace

}  // namespace duel::test
