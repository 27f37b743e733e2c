// Layers against the references of their operators.
#include "engine/nn/layers.h"

#include "tests/reference/bias_act.h"
#include "tests/reference/conv2d.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <cmath>

namespace duel::test {
namespace {

namespace ref = reference;
using Block = Parameters::Block;

ref::Array as_array(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

struct TransposedCase {
  std::string name;
  Conv2d conv;
  int kernel;
  Shape x, y;
};

class Transposed : public testing::TestWithParam<TransposedCase> {};

// Extents as PyTorch's ConvTranspose2d gives them: (H - 1) stride - 2 pad + kernel.
INSTANTIATE_TEST_SUITE_P(Layers, Transposed,
                         testing::Values(TransposedCase{"doubling", kHalving, 4, {2, 3, 5, 6}, {2, 6, 10, 3}},
                                         TransposedCase{"six_by_six", {2, 2, 2, 2, 2}, 6, {1, 4, 3, 5}, {1, 8, 6, 2}},
                                         TransposedCase{"same", Conv2d::same(5), 5, {3, 4, 7, 2}, {3, 4, 7, 1}},
                                         TransposedCase{"from_one", {1, 0, 0, 0, 0}, 4, {2, 1, 1, 7}, {2, 4, 4, 5}}),
                         [](const auto& test) { return test.param.name; });

TEST_P(Transposed, IsTheInputGradientOfItsConvolution) {
  const auto& [name, conv, kernel, x_shape, y_shape] = GetParam();
  SmallProgram s;
  Parameters parameters("net");
  const Activation act{ActivationKind::leaky_relu, 0.2F};
  const ConvTransposed layer(parameters, "up", conv, x_shape.back(), y_shape.back(), kernel, {act, as_in_pytorch});
  parameters.allocate(s.context(), {.training = false});
  parameters.initialize(s.context(), 3, 0);
  s.place(parameters);
  const BoundParameters weights(s.program, parameters, Block::master, false);
  const Value x = s.input(x_shape), y = layer(s.program, weights, x);
  ASSERT_EQ(s.program.shape(y), y_shape);
  s.program.keep(y);
  s.finish();
  s.run();

  const auto read = [&](const std::string& parameter) {
    for (const Parameter& p : parameters.list()) {
      if (p.name == parameter) {
        return as_array(download<float>(s.context(), parameters.view(Block::master, p)));
      }
    }
    return ref::Array();
  };
  const ref::Array input(s.data(0), s.data(0) + x_shape.count()), w = read("up/weight"), b = read("up/bias");
  const ref::Array sum = ref::conv2d_backward_input(conv, y_shape, parameters.list()[0].shape, input, w);
  const ref::Array expected = ref::bias_act_forward(act, sum, b, y_shape.back());
  const std::vector<float> got = s.read(y);
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(got[i]), expected[i], 1e-5) << i;
  }
  // And the fans of that convolution: as PyTorch's layer starts.
  const double bound = 1 / std::sqrt(kernel * kernel * y_shape.back());
  for (const ref::Array& values : {w, b}) {
    EXPECT_LE(*std::max_element(values.begin(), values.end()), bound);
  }
  EXPECT_GT(*std::max_element(w.begin(), w.end()), 0.8 * bound);
}

TEST(Layers, WithoutABiasHaveNone) {
  SmallProgram s;  // outlives the memory that is taken of its context
  Parameters parameters("net");
  const LayerForm form{{}, he_and_zeros, false};
  const Dense dense(parameters, "dense", 3, 5, form);
  const Conv conv(parameters, "conv", Conv2d::same(3), 2, 3, 3, form);
  const ConvTransposed up(parameters, "up", kHalving, 2, 3, 4, form);
  ASSERT_EQ(parameters.list().size(), 3U);
  parameters.allocate(s.context(), {.training = false});
  s.place(parameters);
  const BoundParameters weights(s.program, parameters, Block::master, false);
  EXPECT_EQ(s.program.shape(dense(s.program, weights, s.input({7, 3}), DType::f32)), (Shape{7, 5}));
  EXPECT_EQ(s.program.shape(conv(s.program, weights, s.input({1, 4, 5, 2}))), (Shape{1, 4, 5, 3}));
  EXPECT_EQ(s.program.shape(up(s.program, weights, s.input({1, 4, 5, 2}))), (Shape{1, 8, 10, 3}));
}

TEST(Embedding, OfSharesIsTheMixtureOfItsRows) {
  SmallProgram s;
  Parameters parameters("net");
  const Embedding embedding(parameters, "classes", 3, 4);
  parameters.allocate(s.context(), {.training = false});
  parameters.initialize(s.context(), 1, 0);
  s.place(parameters);
  const BoundParameters weights(s.program, parameters, Block::master, false);
  const Value shares = s.input({3, 3});
  const std::vector<float> given = {0, 1, 0, 0.5F, 0, 0.5F, 0.2F, 0.3F, 0.5F};
  std::copy(given.begin(), given.end(), s.data(0));
  const Value mixed = embedding(s.program, weights, shares);
  const Value rows = embedding(s.program, weights, s.labels({1, 2, 0}));
  s.program.keep(mixed);
  s.program.keep(rows);
  s.finish();
  s.run();
  const std::vector<float> table = download<float>(s.context(), parameters.view(Block::master, parameters.list()[0]));
  const std::vector<float> got = s.read(mixed), taken = s.read(rows);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(taken[i], table[4 + i]);
    EXPECT_EQ(taken[4 + i], table[8 + i]);
    EXPECT_EQ(taken[8 + i], table[i]);
    for (std::size_t n = 0; n < 3; ++n) {
      const float expected =
          given[3 * n] * table[i] + given[3 * n + 1] * table[4 + i] + given[3 * n + 2] * table[8 + i];
      EXPECT_NEAR(got[4 * n + i], expected, 1e-6);
    }
  }
}

}  // namespace
}  // namespace duel::test
