// The operators are closed under differentiation: each derivative below is made of other operators' references, and
// is compared with central differences.
#include "tests/kernels/derivative.h"

#include "tests/reference/bias_act.h"
#include "tests/reference/conv2d.h"
#include "tests/reference/elementwise.h"
#include "tests/reference/matmul.h"
#include "tests/reference/reduce.h"

#include <gtest/gtest.h>

namespace duel::test {

namespace {

namespace ref = reference;

// A check that passes everything would pass a wrong derivative too.
TEST(DerivativeTest, FindsAWrongDerivative) {
  const Array x = drawn_values({5}, "wrong");
  const auto square = [](const Array& at) { return ref::multiply(at, at); };
  expect_derivative(
      "square", square, [](const Array& at, const Array& dy) { return ref::affine(2, 0, ref::multiply(at, dy)); }, x);
  EXPECT_NE(check_derivative(
                "square", square, [](const Array& at, const Array& dy) { return ref::multiply(at, dy); }, x),
            "");
}

TEST(DerivativeTest, Matmul) {
  const int m = 3, n = 5, k = 7;
  const Array left = drawn_values({m * k}, "left"), right = drawn_values({k * n}, "right"),
              bias = drawn_values({n}, "bias");
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Matmul p{ta, tb, {}};
      const std::string name = fmt::format("matmul transposed {} {}", ta, tb);
      // dA = dy B^T and dB = A^T dy; where a or b is stored transposed, the transpose of that.
      expect_derivative(
          name + " by a", [&](const Array& a) { return ref::matmul(p, m, n, k, a, right, bias); },
          [&](const Array&, const Array& dy) {
            return ta ? ref::matmul({tb, true, {}}, k, m, n, right, dy, {})
                      : ref::matmul({false, !tb, {}}, m, k, n, dy, right, {});
          },
          left);
      expect_derivative(
          name + " by b", [&](const Array& b) { return ref::matmul(p, m, n, k, left, b, bias); },
          [&](const Array&, const Array& dy) {
            return tb ? ref::matmul({true, ta, {}}, n, k, m, dy, left, {})
                      : ref::matmul({!ta, false, {}}, k, n, m, left, dy, {});
          },
          right);
      expect_derivative(
          name + " by bias", [&](const Array& b) { return ref::matmul(p, m, n, k, left, right, b); },
          [&](const Array&, const Array& dy) { return ref::bias_backward(dy, n); }, bias);
    }
  }
}

TEST(DerivativeTest, MatmulWithActivation) {
  const int m = 3, n = 5, k = 7;
  const Array left = drawn_values({m * k}, "left"), right = drawn_values({k * n}, "right"),
              bias = drawn_values({n}, "bias");
  for (const Activation& act : every_activation()) {
    const Matmul p{false, false, act};
    const auto forward = [&](const Array& a) { return ref::matmul(p, m, n, k, a, right, bias); };
    expect_derivative(
        "matmul with " + name_of(act), forward,
        [&](const Array& a, const Array& dy) {
          return ref::matmul({false, true, {}}, m, k, n, ref::activation_backward(act, dy, forward(a)), right, {});
        },
        left);
  }
}

struct ConvProblem {
  Conv2d conv;
  Shape x, w;
};

std::vector<ConvProblem> conv_problems() {
  return {{Conv2d::same(3), {2, 5, 4, 3}, {2, 3, 3, 3}},    {{2, 1, 1, 1, 1}, {1, 6, 5, 2}, {3, 4, 4, 2}},
          {{3, 2, 0, 1, 3}, {2, 7, 5, 1}, {2, 3, 3, 1}},    {{1, 0, 0, 0, 0}, {1, 3, 5, 2}, {3, 3, 5, 2}},
          {{2, 0, 0, 0, 0}, {2, 5, 6, 3}, {5, 1, 1, 3}},    {{1, 0, 0, 2, 2}, {1, 4, 5, 2}, {2, 1, 5, 2}},
          {{1, 1, 1, 1, 1}, {1, 3, 2, 2}, {2, 1, 1, 2}},    {{2, 3, 3, 3, 3}, {1, 5, 4, 1}, {2, 7, 7, 1}},
          {{2, 1, 1, 1, 1, 2}, {1, 5, 4, 4}, {6, 3, 3, 2}}, {{1, 0, 0, 0, 0, 3}, {2, 4, 4, 3}, {3, 4, 4, 1}}};
}

TEST(DerivativeTest, Conv2d) {
  for (const ConvProblem& problem : conv_problems()) {
    const Conv2d& conv = problem.conv;  // names that lambdas may take; clang 14 refuses structured bindings there
    const Shape &x_shape = problem.x, &w_shape = problem.w;
    const std::string name = fmt::format("conv2d x {} w {} stride {}", x_shape, w_shape, conv.stride);
    const Array x = drawn_values(x_shape, "x"), w = drawn_values(w_shape, "w"),
                bias = drawn_values({w_shape[0]}, "bias");
    expect_derivative(
        name + " by x", [&](const Array& at) { return ref::conv2d_forward(conv, {}, x_shape, w_shape, at, w, bias); },
        [&](const Array&, const Array& dy) { return ref::conv2d_backward_input(conv, x_shape, w_shape, dy, w); }, x);
    expect_derivative(
        name + " by w", [&](const Array& at) { return ref::conv2d_forward(conv, {}, x_shape, w_shape, x, at, bias); },
        [&](const Array&, const Array& dy) { return ref::conv2d_backward_weight(conv, x_shape, w_shape, x, dy); }, w);
    expect_derivative(
        name + " by bias", [&](const Array& at) { return ref::conv2d_forward(conv, {}, x_shape, w_shape, x, w, at); },
        [&](const Array&, const Array& dy) { return ref::bias_backward(dy, w_shape[0]); }, bias);
  }
}

// The derivatives of the two backward operators are again operators of the three.
TEST(DerivativeTest, Conv2dSecondOrder) {
  for (const ConvProblem& problem : conv_problems()) {
    const Conv2d& conv = problem.conv;  // names that lambdas may take; clang 14 refuses structured bindings there
    const Shape &x_shape = problem.x, &w_shape = problem.w;
    const std::string name = fmt::format("conv2d x {} w {} stride {}", x_shape, w_shape, conv.stride);
    const Array x = drawn_values(x_shape, "x"), w = drawn_values(w_shape, "w"),
                dy = drawn_values(conv2d_output(conv, x_shape, w_shape), "dy");
    expect_derivative(
        name + " backward_input by dy",
        [&](const Array& at) { return ref::conv2d_backward_input(conv, x_shape, w_shape, at, w); },
        [&](const Array&, const Array& ddx) { return ref::conv2d_forward(conv, {}, x_shape, w_shape, ddx, w, {}); },
        dy);
    expect_derivative(
        name + " backward_input by w",
        [&](const Array& at) { return ref::conv2d_backward_input(conv, x_shape, w_shape, dy, at); },
        [&](const Array&, const Array& ddx) { return ref::conv2d_backward_weight(conv, x_shape, w_shape, ddx, dy); },
        w);
    expect_derivative(
        name + " backward_weight by dy",
        [&](const Array& at) { return ref::conv2d_backward_weight(conv, x_shape, w_shape, x, at); },
        [&](const Array&, const Array& ddw) { return ref::conv2d_forward(conv, {}, x_shape, w_shape, x, ddw, {}); },
        dy);
    expect_derivative(
        name + " backward_weight by x",
        [&](const Array& at) { return ref::conv2d_backward_weight(conv, x_shape, w_shape, at, dy); },
        [&](const Array&, const Array& ddw) { return ref::conv2d_backward_input(conv, x_shape, w_shape, dy, ddw); }, x);
  }
}

TEST(DerivativeTest, BiasAct) {
  const Shape shape{3, 5};
  // No sum of the two comes near 0.
  const Array x = drawn_off_zero(shape, "x"), bias = drawn_values({5}, "bias", uniform(-0.05, 0.05));
  for (const Activation& act : every_activation()) {
    const auto forward = [&](const Array& at) { return ref::bias_act_forward(act, at, bias, 5); };
    expect_derivative(
        "bias_act by x with " + name_of(act), forward,
        [&](const Array& at, const Array& dy) { return ref::activation_backward(act, dy, forward(at)); }, x);
    expect_derivative(
        "bias_act by bias with " + name_of(act), [&](const Array& at) { return ref::bias_act_forward(act, x, at, 5); },
        [&](const Array& at, const Array& dy) {
          return ref::bias_backward(ref::activation_backward(act, dy, ref::bias_act_forward(act, x, at, 5)), 5);
        },
        bias);
  }
  expect_derivative(
      "bias_backward", [](const Array& dy) { return ref::bias_backward(dy, 5); },
      [&](const Array&, const Array& ddb) {
        return ref::broadcast({Axes::each_column, 1.0F}, shape, ddb);
      },
      x);
}

// activation_backward is linear in dy; by y it is dy times the derivative of the slope, which is made of affine and
// multiply: tanh -2y, sigmoid 1 - 2y, and 0 for those that are straight.
TEST(DerivativeTest, ActivationSecondOrder) {
  const Shape shape{3, 5};
  const Array y = drawn_values(shape, "y", uniform(0.1, 0.9)), dy = drawn_values(shape, "dy");
  for (const Activation& act : every_activation()) {
    expect_derivative(
        "activation_backward by dy with " + name_of(act),
        [&](const Array& at) { return ref::activation_backward(act, at, y); },
        [&](const Array&, const Array& ddx) { return ref::activation_backward(act, ddx, y); }, dy);
    expect_derivative(
        "activation_backward by y with " + name_of(act),
        [&](const Array& at) { return ref::activation_backward(act, dy, at); },
        [&](const Array& at, const Array& ddx) {
          const Array product = ref::multiply(ddx, dy);
          switch (act.kind) {
            case ActivationKind::tanh: return ref::multiply(product, ref::affine(-2, 0, at));
            case ActivationKind::sigmoid: return ref::multiply(product, ref::affine(-2, 1, at));
            default: return ref::affine(0, 0, product);
          }
        },
        y);
  }
}

// From x on, twice: what a gradient penalty differentiates.
TEST(DerivativeTest, GradientOfTheGradient) {
  const Array x = drawn_values({7}, "x");
  for (const ActivationKind kind : {ActivationKind::tanh, ActivationKind::sigmoid}) {
    const Activation act{kind};
    const auto value = [&](const Array& at) { return ref::bias_act_forward(act, at, {}, 1); };
    const Array ones(x.size(), 1.0);
    expect_derivative(
        "second derivative of " + name_of(act),
        [&](const Array& at) { return ref::activation_backward(act, ones, value(at)); },
        [&](const Array& at, const Array& ddx) {
          const Array y = value(at);
          const Array dy = ref::multiply(ddx, ref::affine(-2, kind == ActivationKind::sigmoid ? 1 : 0, y));
          return ref::activation_backward(act, dy, y);
        },
        x);
  }
  expect_derivative(
      "second derivative of softplus", [](const Array& at) { return ref::unary(UnaryKind::sigmoid, at); },
      [](const Array& at, const Array& ddx) {
        return ref::activation_backward({ActivationKind::sigmoid}, ddx, ref::unary(UnaryKind::sigmoid, at));
      },
      x);
}

TEST(DerivativeTest, Elementwise) {
  const Array x = drawn_off_zero({7}, "x"), other = drawn_values({7}, "other");
  expect_derivative(
      "add", [&](const Array& at) { return ref::add(at, other); }, [](const Array&, const Array& dy) { return dy; }, x);
  expect_derivative(
      "multiply", [&](const Array& at) { return ref::multiply(at, other); },
      [&](const Array&, const Array& dy) { return ref::multiply(dy, other); }, x);
  expect_derivative(
      "affine", [](const Array& at) { return ref::affine(-1.7, 0.3, at); },
      [](const Array&, const Array& dy) { return ref::affine(-1.7, 0, dy); }, x);
  expect_derivative(
      "softplus", [](const Array& at) { return ref::unary(UnaryKind::softplus, at); },
      [](const Array& at, const Array& dy) { return ref::multiply(dy, ref::unary(UnaryKind::sigmoid, at)); }, x);
  expect_derivative(
      "sigmoid", [](const Array& at) { return ref::unary(UnaryKind::sigmoid, at); },
      [](const Array& at, const Array& dy) {
        return ref::activation_backward({ActivationKind::sigmoid}, dy, ref::unary(UnaryKind::sigmoid, at));
      },
      x);
  expect_derivative(
      "reciprocal", [](const Array& at) { return ref::unary(UnaryKind::reciprocal, at); },
      [](const Array& at, const Array& dy) {
        const Array y = ref::unary(UnaryKind::reciprocal, at);
        return ref::affine(-1, 0, ref::multiply(dy, ref::multiply(y, y)));
      },
      drawn_values({7}, "reciprocal", uniform(0.5, 3)));
  expect_derivative(
      "square_root", [](const Array& at) { return ref::unary(UnaryKind::square_root, at); },
      [](const Array& at, const Array& dy) {
        const Array y = ref::unary(UnaryKind::square_root, at);
        return ref::affine(0.5, 0, ref::multiply(dy, ref::unary(UnaryKind::reciprocal, y)));
      },
      drawn_values({7}, "square_root", uniform(0.5, 3)));
  expect_derivative(
      "exp", [](const Array& at) { return ref::unary(UnaryKind::exp, at); },
      [](const Array& at, const Array& dy) { return ref::multiply(dy, ref::unary(UnaryKind::exp, at)); }, x);
  expect_derivative(
      "log", [](const Array& at) { return ref::unary(UnaryKind::log, at); },
      [](const Array& at, const Array& dy) { return ref::multiply(dy, ref::unary(UnaryKind::reciprocal, at)); },
      drawn_values({7}, "log", uniform(0.5, 3)));
  expect_derivative(
      "abs", [](const Array& at) { return ref::unary(UnaryKind::abs, at); },
      [](const Array& at, const Array& dy) { return ref::multiply(dy, ref::unary(UnaryKind::sign, at)); }, x);
  expect_derivative(
      "sin", [](const Array& at) { return ref::unary(UnaryKind::sin, at); },
      [](const Array& at, const Array& dy) { return ref::multiply(dy, ref::unary(UnaryKind::cos, at)); }, x);
  expect_derivative(
      "cos", [](const Array& at) { return ref::unary(UnaryKind::cos, at); },
      [](const Array& at, const Array& dy) {
        return ref::affine(-1, 0, ref::multiply(dy, ref::unary(UnaryKind::sin, at)));
      },
      x);
  expect_derivative(
      "rsqrt", [](const Array& at) { return ref::unary(UnaryKind::rsqrt, at); },
      [](const Array& at, const Array& dy) {
        const Array y = ref::unary(UnaryKind::rsqrt, at);
        return ref::affine(-0.5, 0, ref::multiply(dy, ref::multiply(y, ref::multiply(y, y))));
      },
      drawn_values({7}, "rsqrt", uniform(0.5, 3)));
  expect_derivative(
      "sign", [](const Array& at) { return ref::unary(UnaryKind::sign, at); },
      [](const Array&, const Array& dy) { return ref::affine(0, 0, dy); }, x);
  expect_derivative(
      "clamp", [](const Array& at) { return ref::clamp(-0.7, 0.4, at); },
      [](const Array& at, const Array& dy) {
        const Array below = ref::unary(UnaryKind::positive, ref::affine(-1, -0.7, at));
        const Array above = ref::unary(UnaryKind::positive, ref::affine(1, -0.4, at));
        return ref::multiply(dy, ref::affine(-1, 1, ref::add(below, above)));
      },
      x);
  expect_derivative(
      "positive", [](const Array& at) { return ref::unary(UnaryKind::positive, at); },
      [](const Array&, const Array& dy) { return ref::affine(0, 0, dy); }, x);
  // relu as a product, which is how its slope is written with operators
  expect_derivative(
      "x * positive(x)", [](const Array& at) { return ref::multiply(at, ref::unary(UnaryKind::positive, at)); },
      [](const Array& at, const Array& dy) { return ref::multiply(dy, ref::unary(UnaryKind::positive, at)); }, x);
}

TEST(DerivativeTest, ReduceAndBroadcast) {
  for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{3, 2, 4}, Shape{2, 3, 2, 5}}) {
    for (const Axes axes : {Axes::all, Axes::each_row, Axes::each_column, Axes::each_row_and_column}) {
      if (axes == Axes::each_row_and_column && shape.rank() < 2) {
        continue;
      }
      const Reduce p{axes, 0.7F};
      const std::string name = fmt::format("{} of {}", name_of(axes), shape);
      expect_derivative(
          "reduce_sum " + name, [&](const Array& at) { return ref::reduce_sum(p, shape, at); },
          [&](const Array&, const Array& dy) { return ref::broadcast(p, shape, dy); }, drawn_values(shape, "x"));
      expect_derivative(
          "broadcast " + name, [&](const Array& at) { return ref::broadcast(p, shape, at); },
          [&](const Array&, const Array& dy) { return ref::reduce_sum(p, shape, dy); },
          drawn_values(reduce_output(axes, shape), "x"));
    }
  }
}

}  // namespace

}  // namespace duel::test
