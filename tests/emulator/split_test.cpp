// Sums in as many parts as a large GPU has room for: more than the eight lanes of the kernel that adds them
// (kernels/cuda/split.cuh) have at once. The few multiprocessors of other tests leave fewer parts than that.
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
  constexpr std::array<std::string_view, 6> kNames{
      "matmul/nn_m40_n48_k1000_f32_f32_sigmoid",
      "matmul/nn_m40_n48_k1000_f32_bf16_identity",
      "conv2d_backward_weight/x11x13x15x32_k16_filter3x3_stride1_pad1111_f32_f32",
      "conv2d_backward_weight/x1x28x28x1_k32_filter3x3_stride1_pad1111_f32_f32",
      "conv2d_backward_weight/x1x28x28x1_k32_filter3x3_stride1_pad1111_bf16_f32",
      "conv2d_backward_weight/x1x28x28x1_k32_filter5x5_stride1_pad2222_f32_f32"};
  return std::find(kNames.begin(), kNames.end(), op_case.full_name()) != kNames.end();
}

TEST(Split, ManyPartsAreAdded) {
  const int multiprocessors = std::exchange(emulator::runtime().multiprocessors, 132);  // an H100's
  int cases = 0;
  for (const Backend& backend : backends()) {
    for (const OpCase& op_case : all_cases()) {
      if (!has_long_sums(op_case) || !takes(backend, op_case)) {
        continue;
      }
      ++cases;
      EXPECT_EQ(run_contract(backend, op_case).problem, "") << op_case.full_name() << " on " << backend.name;
    }
  }
  emulator::runtime().multiprocessors = multiprocessors;
  EXPECT_GE(cases, 6);
}

}  // namespace

}  // namespace duel::test
