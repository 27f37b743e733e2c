// Each rewrite of engine/rewrite/fuse.h against the unfused chain, on the same inputs.
#include "engine/rewrite/fuse.h"

#include "engine/rewrite/differentiate.h"
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

TEST(Fuse, TheActivationGoesIntoTheNormalization) {
  expect_same(
      [](SmallProgram& s) {
        const Value x = s.input({10, 3}), gamma = s.input({3}), beta = s.input({3});
        const ops::BatchNormed n = ops::batch_norm(s.program, {}, x, gamma, beta);
        const Value between = ops::affine(s.program, n.mean, 2.0);  // read before the activation is reached
        const Value y = ops::bias_act(s.program, {ActivationKind::leaky_relu, 0.2F}, n.y, {});
        std::vector<Value> results = differentiate(s.program, y, {x, gamma, beta});
        results.push_back(y);
        results.push_back(between);
        return results;
      },
      {"batch_norm_forward", "affine", "fill", "activation_backward", "batch_norm_backward"}, 1e-5);
  expect_same(
      [](SmallProgram& s) {
        const Value x = s.input({10, 3}), gamma = s.input({3}), beta = s.input({3}), mean = s.input({3});
        const Value y = ops::batch_norm_inference(s.program, {}, x, gamma, beta, mean, s.input({3}, 0.5F, 2.0F));
        return std::vector{ops::bias_act(s.program, {ActivationKind::tanh}, y, {})};
      },
      {"batch_norm_inference"}, 1e-6);
}

TEST(Fuse, LeavesANormalizationThatIsReadElsewhereOrHasABias) {
  for (const bool bias : {false, true}) {
    SmallProgram s;
    const Value x = s.input({10, 3}), column = s.input({3});
    const Value y = ops::batch_norm(s.program, {}, x, column, column).y;
    s.program.keep(ops::bias_act(s.program, {ActivationKind::relu}, y, bias ? column : Value{}));
    if (!bias) {
      s.program.keep(y);
    }
    fuse(s.program);
    EXPECT_EQ(s.program.nodes().size(), 2U);
  }
}

// The gradients of a convolutional layer's own arrays, and where it is wanted, of its picture, which reads dz too.
std::vector<Value> layer_gradients(SmallProgram& s, int channels, bool of_picture) {
  Program& p = s.program;
  const Value x = s.input({2, 5, 4, channels}), w = s.input({6, 3, 3, channels}), bias = s.input({6});
  const Value y = ops::bias_act(p, {ActivationKind::relu}, ops::conv2d(p, Conv2d::same(3), x, w), bias);
  std::vector<Value> of = {w, bias};
  if (of_picture) {
    of.push_back(x);
  }
  return differentiate(p, ops::mean(p, ops::multiply(p, y, y)), of);
}

TEST(Fuse, TheGradientsOfALayerOnPicturesAreOnePass) {
  const auto has = [](const SmallProgram& s, const std::string& op) {
    const std::vector<Node>& nodes = s.program.nodes();
    return std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) { return node.op == op; });
  };
  for (const int channels : {1, 4, 5}) {
    for (const bool of_picture : {false, true}) {
      SmallProgram plain, fused;
      const std::vector<Value> expected = layer_gradients(plain, channels, of_picture),
                               got = layer_gradients(fused, channels, of_picture);
      for (std::size_t i = 0; i < got.size(); ++i) {
        plain.program.keep(expected[i]);
        fused.program.keep(got[i]);
      }
      plain.program.prune();
      fuse(fused.program);
      EXPECT_EQ(has(fused, "conv2d_bias_act_backward"), channels <= 4);
      EXPECT_EQ(has(fused, "conv2d_backward_weight"), channels > 4);
      EXPECT_EQ(has(fused, "conv2d_backward_input"), of_picture);
      plain.finish();
      fused.finish();
      plain.run();
      fused.run();
      for (std::size_t i = 0; i < got.size(); ++i) {
        const std::vector<float> a = plain.read(expected[i]), b = fused.read(got[i]);
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t k = 0; k < a.size(); ++k) {
          EXPECT_NEAR(a[k], b[k], 1e-5);
        }
      }
    }
  }
}

TEST(Fuse, ADrawIsMadeInTheTypeThatItIsReadIn) {
  const auto record = [](SmallProgram& s) {
    const Value noise = ops::random_normal(s.program, {9, Purpose::d_latents}, s.counter(41), {5, 8});
    return std::vector{ops::cast(s.program, ops::cast(s.program, noise, DType::bf16), DType::f32)};
  };
  expect_same(record, {"random_normal", "cast"}, 0);
}

TEST(Fuse, EqualCastsAreOne) {
  const auto record = [](SmallProgram& s) {
    const Value x = ops::affine(s.program, s.input({5, 8}), 0.7);
    const auto rounded = [&] { return ops::cast(s.program, x, DType::bf16); };
    const Value reshaped = s.program.reshape(rounded(), {8, 5});
    return std::vector{ops::cast(s.program, ops::multiply(s.program, rounded(), rounded()), DType::f32),
                       ops::cast(s.program, ops::multiply(s.program, reshaped, reshaped), DType::f32)};
  };
  expect_same(record, {"affine", "cast", "multiply", "cast", "multiply", "cast"}, 0);
}

TEST(Fuse, LeavesCastsOfWhatIsBoundAsItMayBeWrittenBetweenThem) {
  SmallProgram s;
  const Value x = s.input({5, 8});
  const Value first = ops::cast(s.program, x, DType::bf16), second = ops::cast(s.program, x, DType::bf16);
  s.program.keep(first);
  s.program.keep(ops::multiply(s.program, first, second));
  fuse(s.program);
  EXPECT_EQ(s.program.nodes().size(), 3U);
}

TEST(Fuse, LeavesALayerWhoseSumIsReadElsewhere) {
  SmallProgram s;
  const Value product = ops::matmul(s.program, {}, s.input({5, 7}), s.input({7, 3}), DType::f32);
  s.program.keep(ops::bias_act(s.program, {ActivationKind::relu}, product, s.input({3})));
  s.program.keep(product);
  fuse(s.program);
  EXPECT_EQ(s.program.nodes().size(), 2U);
}

// Weights, moments, gradients and an average of one length, and the counter of steps.
struct Update {
  SmallProgram s;
  Value w, m, v, gradient, average, step;

  Update()
      : w(s.input({35})),
        m(s.input({35})),
        v(s.input({35}, 0.0F, 1.0F)),
        gradient(s.input({35})),
        average(s.input({35})),
        step(s.counter(5)) {}

  void record_adam() { ops::adam(s.program, {.learning_rate = 0.1}, step, {}, gradient, {w, m, v, {}}); }
  void record_average() { ops::ema(s.program, Schedule::half_life(64, 5000, 10), step, w, average); }
  std::vector<std::string> fused() {
    fuse(s.program);
    std::vector<std::string> ops;
    for (const Node& node : s.program.nodes()) {
      ops.push_back(node.op);
    }
    s.finish();
    s.run();
    return ops;
  }
};

using Names = std::vector<std::string>;

TEST(Fuse, MovingAveragesGoIntoTheUpdate) {
  Update plain, fused;
  for (Update* each : {&plain, &fused}) {
    each->record_adam();
    each->record_average();
  }
  plain.s.finish();
  plain.s.run();
  EXPECT_EQ(fused.fused(), Names{"adam"});
  EXPECT_EQ(plain.s.program.cost(plain.s.program.nodes()[0]).bytes + 8 * 35,
            fused.s.program.cost(fused.s.program.nodes()[0]).bytes);
  for (std::size_t array = 0; array < 5; ++array) {
    for (std::size_t i = 0; i < 35; ++i) {
      EXPECT_EQ(plain.s.data(array)[i], fused.s.data(array)[i]) << array << " " << i;
    }
  }
}

TEST(Fuse, MovingAveragesStayWhereSomethingIsInBetween) {
  {
    Update u;  // before the update: of the old weights
    u.record_average();
    u.record_adam();
    EXPECT_EQ(u.fused(), (Names{"ema", "adam"}));
  }
  {
    Update u;  // the old average is read
    u.record_adam();
    u.s.program.keep(ops::affine(u.s.program, u.average, 1, 0));
    u.record_average();
    EXPECT_EQ(u.fused(), (Names{"adam", "affine", "ema"}));
  }
  {
    Update u;  // at another step
    u.record_adam();
    ops::advance_counter(u.s.program, u.step);
    u.record_average();
    EXPECT_EQ(u.fused(), (Names{"adam", "advance_counter", "ema"}));
  }
  {
    Update u;  // of other weights
    u.record_adam();
    ops::ema(u.s.program, 0.9, {}, u.m, u.average);
    EXPECT_EQ(u.fused(), (Names{"adam", "ema"}));
  }
  {
    Update u;  // an update averages once
    u.record_adam();
    u.record_average();
    u.record_average();
    EXPECT_EQ(u.fused(), (Names{"adam", "ema"}));
  }
}

}  // namespace
}  // namespace duel::test
