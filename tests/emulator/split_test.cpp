// Sums in as many parts as a large GPU has room for: more than the eight lanes of the kernel that adds them
// (kernels/cuda/split.cuh) have at once, and more than one cluster of blocks. The few multiprocessors of other tests
// leave fewer parts than that.
#include "emulator/options.h"
#include "emulator/runtime.h"
#include "tests/support/op_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace duel::test {

namespace {

// Products of 1,000 terms or more a sum, and gradients of filters over as many pixels, pictures of one channel too.
bool has_long_sums(const OpCase& op_case) {
  constexpr std::array<std::string_view, 8> kNames{
      "matmul/nn_m40_n48_k1000_f32_f32_sigmoid",
      "matmul/nn_m40_n48_k1000_f32_bf16_identity",
      "conv2d_backward_weight/x11x13x15x32_k16_filter3x3_stride1_pad1111_f32_f32",
      "conv2d_backward_weight/x1x28x28x1_k32_filter3x3_stride1_pad1111_f32_f32",
      "conv2d_backward_weight/x1x28x28x1_k32_filter3x3_stride1_pad1111_bf16_f32",
      "conv2d_backward_weight/x1x28x28x1_k32_filter5x5_stride1_pad2222_f32_f32",
      "conv2d_bias_act_backward/x5x28x28x1_k32_filter3x3_stride1_pad1111_leaky_relu_f32",
      "conv2d_bias_act_backward/x5x28x28x1_k32_filter3x3_stride1_pad1111_tanh_bf16"};
  return std::find(kNames.begin(), kNames.end(), op_case.full_name()) != kNames.end();
}

void run_long_sums(bool has_clusters, bool tf32) {
  const auto open = [=](int variant) {
    emulator::options() = {variant == 0 ? emulator::Order::reverse : emulator::Order::random, 1};
    const int multiprocessors = std::exchange(emulator::runtime().multiprocessors, 132);  // an H100's
    const bool had_clusters = std::exchange(emulator::runtime().has_clusters, has_clusters);
    const auto context = std::make_shared<Context>(Context::cuda(0, tf32));
    emulator::runtime().multiprocessors = multiprocessors;
    emulator::runtime().has_clusters = had_clusters;
    return context;
  };
  const Backend backend{"an H100", {0, 1}, true, open, tf32, false};
  int cases = 0;
  for (const OpCase& op_case : all_cases()) {
    if (has_long_sums(op_case) && takes(backend, op_case)) {
      ++cases;
      EXPECT_EQ(run_contract(backend, op_case).problem, "") << op_case.full_name();
    }
  }
  EXPECT_GE(cases, tf32 ? 4 : 8);
  emulator::options() = {};
}

TEST(Split, ManyPartsAreAddedInClusters) {
  run_long_sums(true, false);
  run_long_sums(true, true);
}

TEST(Split, ManyPartsAreAddedByAKernel) {
  run_long_sums(false, false);
  run_long_sums(false, true);
}

}  // namespace

}  // namespace duel::test
