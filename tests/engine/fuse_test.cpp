// Each rewrite of engine/fuse.h against the unfused chain, on the same inputs.
#include "engine/fuse.h"

#include "engine/differentiate.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace duel::test {
namespace {

template <class Record>
void expect_same(const Record& record, const std::vector<std::string>& expected_ops, double tolerance) {
  SmallProgram plain, fused;
  const std::vector<Value> plain_outputs = record(plain), fused_outputs = record(fused);
  for (std::size_t i = 0; i < plain_outputs.size(); ++i) {
    plain.program.keep(plain_outputs[i]);
    fused.program.keep(fused_outputs[i]);
  }
  plain.program.prune();
  fuse(fused.program);
  std::vector<std::string> ops;
  for (const Node& node : fused.program.nodes()) {
    ops.push_back(node.op);
  }
  EXPECT_EQ(ops, expected_ops);
  EXPECT_LT(fused.program.nodes().size(), plain.program.nodes().size());
  plain.finish();
  fused.finish();
  plain.run();
  fused.run();
  for (std::size_t i = 0; i < plain_outputs.size(); ++i) {
    const std::vector<float> a = plain.read(plain_outputs[i]), b = fused.read(fused_outputs[i]);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_NEAR(a[k], b[k], tolerance);
    }
  }
}

TEST(Fuse, BiasAndActivationGoIntoTheMatrixProduct) {
  for (const ActivationKind kind :
       {ActivationKind::relu, ActivationKind::leaky_relu, ActivationKind::tanh, ActivationKind::identity}) {
    expect_same(
        [kind](SmallProgram& s) {
          const Value product = ops::matmul(s.program, {}, s.input({5, 7}), s.input({7, 3}), DType::f32);
          return std::vector{ops::bias_act(s.program, {kind, 0.2F}, product, s.input({3}))};
        },
        {"matmul"}, 1e-6);
  }
}

TEST(Fuse, BiasAndActivationGoIntoTheConvolution) {
  expect_same(
      [](SmallProgram& s) {
        const Value sum = ops::conv2d(s.program, Conv2d::same(3), s.input({2, 5, 4, 3}), s.input({6, 3, 3, 3}));
        return std::vector{ops::bias_act(s.program, {ActivationKind::leaky_relu, 0.2F}, sum, s.input({6}))};
      },
      {"conv2d_forward"}, 1e-5);
}

TEST(Fuse, ActivationAndBiasGradientsBecomeOnePass) {
  expect_same(
      [](SmallProgram& s) {
        const Value x = s.input({40, 6}), b = s.input({6});
        const Value y = ops::bias_act(s.program, {ActivationKind::leaky_relu, 0.2F}, x, b);
        return differentiate(s.program, ops::multiply(s.program, y, y), {x, b});
      },
      {"bias_act_forward", "fill", "multiply", "multiply", "add", "bias_act_backward"}, 1e-5);
}

TEST(Fuse, LeavesALayerWhoseSumIsReadElsewhere) {
  SmallProgram s;
  const Value product = ops::matmul(s.program, {}, s.input({5, 7}), s.input({7, 3}), DType::f32);
  s.program.keep(ops::bias_act(s.program, {ActivationKind::relu}, product, s.input({3})));
  s.program.keep(product);
  fuse(s.program);
  EXPECT_EQ(s.program.nodes().size(), 2U);
}

}  // namespace
}  // namespace duel::test
