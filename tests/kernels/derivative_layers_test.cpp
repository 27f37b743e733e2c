// Derivatives of the operators of layers, classes and pictures, as derivative_test.cpp has those of products and
// numbers.
#include "tests/kernels/derivative.h"

#include "tests/reference/augment_pictures.h"
#include "tests/reference/batch_norm.h"
#include "tests/reference/batched_matmul.h"
#include "tests/reference/columns.h"
#include "tests/reference/cross_entropy.h"
#include "tests/reference/elementwise.h"
#include "tests/reference/gate.h"
#include "tests/reference/grid_sample.h"
#include "tests/reference/group_norm.h"
#include "tests/reference/indexed_rows.h"
#include "tests/reference/pad2d.h"
#include "tests/reference/permute.h"
#include "tests/reference/reduce.h"
#include "tests/reference/rows.h"
#include "tests/reference/scale_rows.h"
#include "tests/reference/shift_flip.h"
#include "tests/reference/softmax.h"

#include <gtest/gtest.h>

namespace duel::test {

namespace {

namespace ref = reference;

// Three columns, of which each test varies one array.
struct BatchNormArrays {
  Array dy = drawn_values({7, 3}, "dy"), x = drawn_values({7, 3}, "x"), gamma = drawn_values({3}, "gamma"),
        beta = drawn_values({3}, "beta");
  Array mean = drawn_values({3}, "mean"), rstd = drawn_values({3}, "rstd", uniform(0.5, 2));
};

TEST(DerivativeTest, BatchNorm) {
  const BatchNormArrays a;
  const double epsilon = 0.1;
  const auto forward = [&](const Array& x, const Array& gamma, const Array& beta) {
    const auto s = ref::batch_statistics(x, 3);
    return ref::batch_normalize({}, x, gamma, beta, s.mean, ref::reciprocal_deviation(s.variance, epsilon));
  };
  const auto backward = [&](const Array& x, const Array& gamma, const Array& dy) {
    const auto s = ref::batch_statistics(x, 3);
    return ref::batch_norm_backward(dy, x, gamma, s.mean, ref::reciprocal_deviation(s.variance, epsilon));
  };
  expect_derivative(
      "batch_norm by x", [&](const Array& at) { return forward(at, a.gamma, a.beta); },
      [&](const Array& at, const Array& dy) { return backward(at, a.gamma, dy).dx; }, a.x);
  expect_derivative(
      "batch_norm by gamma", [&](const Array& at) { return forward(a.x, at, a.beta); },
      [&](const Array& at, const Array& dy) { return backward(a.x, at, dy).dgamma; }, a.gamma);
  expect_derivative(
      "batch_norm by beta", [&](const Array& at) { return forward(a.x, a.gamma, at); },
      [&](const Array&, const Array& dy) { return backward(a.x, a.gamma, dy).dbeta; }, a.beta);
}

// The rule of engine/ops/batch_norm.cpp, in its letters: dx, dgamma and dbeta side by side, by each input.
TEST(DerivativeTest, BatchNormSecondOrder) {
  constexpr std::size_t kRows = 7, kColumns = 3, kCount = kRows * kColumns;
  struct Gradients {
    Array dy, x, gamma, mean, rstd;
  };
  const auto all_of = [](const BatchNormArrays& a) {
    const auto g = ref::batch_norm_backward(a.dy, a.x, a.gamma, a.mean, a.rstd);
    Array all = g.dx;
    all.insert(all.end(), g.dgamma.begin(), g.dgamma.end());
    all.insert(all.end(), g.dbeta.begin(), g.dbeta.end());
    return all;
  };
  const auto rule = [&](const BatchNormArrays& a, const Array& uvw) {
    const Array u(uvw.begin(), uvw.begin() + kCount);
    const auto v = uvw.begin() + kCount, w = v + kColumns;
    const auto g = ref::batch_norm_backward(a.dy, a.x, a.gamma, a.mean, a.rstd);
    const auto of_u = ref::batch_norm_backward(u, a.x, a.gamma, a.mean, a.rstd);
    Gradients r{of_u.dx, Array(kCount), Array(kColumns), Array(kColumns), Array(kColumns)};
    for (std::size_t c = 0; c < kColumns; ++c) {
      const double k = a.gamma[c] * a.rstd[c], offset = of_u.dbeta[c] * g.dbeta[c] + of_u.dgamma[c] * g.dgamma[c];
      double sum = -offset / kRows;  // Q
      for (std::size_t i = c; i < kCount; i += kColumns) {
        sum += u[i] * a.dy[i];
      }
      r.gamma[c] = a.rstd[c] * sum;
      r.rstd[c] = a.gamma[c] * sum;
      for (std::size_t i = c; i < kCount; i += kColumns) {
        const double centred = a.x[i] - a.mean[c];
        const double by_h = (v[static_cast<std::ptrdiff_t>(c)] - k * of_u.dgamma[c] / kRows) * a.dy[i] -
                            k * g.dgamma[c] / kRows * u[i];  // X
        r.dy[i] += v[static_cast<std::ptrdiff_t>(c)] * centred * a.rstd[c] + w[static_cast<std::ptrdiff_t>(c)];
        r.x[i] = by_h * a.rstd[c];
        r.mean[c] -= by_h * a.rstd[c];
        r.rstd[c] += by_h * centred;
      }
    }
    return r;
  };
  const BatchNormArrays arrays;
  const auto expect_by = [&](const std::string& name, Array BatchNormArrays::*input, Array Gradients::*gradient) {
    const auto with = [&](const Array& at) {
      BatchNormArrays a = arrays;
      a.*input = at;
      return a;
    };
    expect_derivative(
        "batch_norm_backward by " + name, [&](const Array& at) { return all_of(with(at)); },
        [&](const Array& at, const Array& uvw) { return rule(with(at), uvw).*gradient; }, arrays.*input);
  };
  expect_by("dy", &BatchNormArrays::dy, &Gradients::dy);
  expect_by("x", &BatchNormArrays::x, &Gradients::x);
  expect_by("gamma", &BatchNormArrays::gamma, &Gradients::gamma);
  expect_by("mean", &BatchNormArrays::mean, &Gradients::mean);
  expect_by("rstd", &BatchNormArrays::rstd, &Gradients::rstd);
}

// Each row's softmax: exp(x - log_sums).
Array softmax_of(const Array& x, const Array& log_sums) {
  const Shape shape{static_cast<int>(log_sums.size()), static_cast<int>(x.size() / log_sums.size())};
  return ref::unary(UnaryKind::exp, ref::add(x, ref::broadcast({Axes::each_row, -1.0F}, shape, log_sums)));
}

// The rules of engine/ops/cross_entropy.cpp: of loss and sums side by side, and of the gradient by both that it reads.
TEST(DerivativeTest, CrossEntropy) {
  const int classes = 5;
  const Shape shape{3, classes};
  const Array x = drawn_values(shape, "x"), labels = {4, 0, 2};
  const CrossEntropy p{0.1F};
  expect_derivative(
      "softmax_cross_entropy",
      [&](const Array& at) {
        const auto result = ref::softmax_cross_entropy(p, classes, at, labels);
        Array both = result.loss;
        both.insert(both.end(), result.log_sums.begin(), result.log_sums.end());
        return both;
      },
      [&](const Array& at, const Array& dy) {
        const Array sums = ref::softmax_cross_entropy(p, classes, at, labels).log_sums;
        const Array by_loss = ref::affine(dy[0], 0, ref::softmax_cross_entropy_backward(p, classes, at, labels, sums));
        const Array by_sums = ref::broadcast({Axes::each_row, 1.0F}, shape, Array(dy.begin() + 1, dy.end()));
        return ref::add(by_loss, ref::multiply(softmax_of(at, sums), by_sums));
      },
      x);
  const Array log_sums = drawn_values({3}, "log_sums", uniform(1, 2));
  const auto by_logits = [](const Array& at, const Array& sums, const Array& u) {
    return ref::affine(1.0 / 3, 0, ref::multiply(u, softmax_of(at, sums)));
  };
  expect_derivative(
      "softmax_cross_entropy_backward by logits",
      [&](const Array& at) { return ref::softmax_cross_entropy_backward(p, classes, at, labels, log_sums); },
      [&](const Array& at, const Array& u) { return by_logits(at, log_sums, u); }, x);
  expect_derivative(
      "softmax_cross_entropy_backward by log_sums",
      [&](const Array& at) { return ref::softmax_cross_entropy_backward(p, classes, x, labels, at); },
      [&](const Array& at, const Array& u) {
        return ref::reduce_sum({Axes::each_row, -1.0F}, shape, by_logits(x, at, u));
      },
      log_sums);
}

TEST(DerivativeTest, IndexedRows) {
  const int rows = 4, row = 3;
  const Array index = {2, 0, 2, -1, 3, 4, 2};  // two of them of no row
  expect_derivative(
      "take_rows", [&](const Array& at) { return ref::take_rows(rows, row, at, index); },
      [&](const Array&, const Array& dy) { return ref::scatter_rows(rows, row, dy, index); },
      drawn_values({rows, row}, "table"));
  expect_derivative(
      "scatter_rows", [&](const Array& at) { return ref::scatter_rows(rows, row, at, index); },
      [&](const Array&, const Array& dy) { return ref::take_rows(rows, row, dy, index); },
      drawn_values({7, row}, "dy"));
}

TEST(DerivativeTest, ScaleRows) {
  const Array scale = drawn_values({4}, "scale"), x = drawn_values({4, 3}, "x"),
              addend = drawn_values({4, 3}, "addend");
  expect_derivative(
      "scale_rows by scale", [&](const Array& at) { return ref::scale_rows(4, at, x, addend); },
      [&](const Array&, const Array& dy) {
        return ref::reduce_sum({Axes::each_row}, {4, 3}, ref::multiply(dy, x));
      },
      scale);
  expect_derivative(
      "scale_rows by x", [&](const Array& at) { return ref::scale_rows(4, scale, at, addend); },
      [&](const Array&, const Array& dy) { return ref::scale_rows(4, scale, dy, {}); }, x);
  expect_derivative(
      "scale_rows by addend", [&](const Array& at) { return ref::scale_rows(4, scale, x, at); },
      [&](const Array&, const Array& dy) { return dy; }, addend);
}

TEST(DerivativeTest, Columns) {
  const Array a = drawn_values({4, 3}, "a"), b = drawn_values({4, 2}, "b");
  expect_derivative(
      "concat_columns by a", [&](const Array& at) { return ref::concat_columns(3, 2, at, b); },
      [&](const Array&, const Array& dy) { return ref::slice_columns(0, 5, 3, dy); }, a);
  expect_derivative(
      "concat_columns by b", [&](const Array& at) { return ref::concat_columns(3, 2, a, at); },
      [&](const Array&, const Array& dy) { return ref::slice_columns(3, 5, 2, dy); }, b);
  expect_derivative(
      "slice_columns", [&](const Array& at) { return ref::slice_columns(1, 3, 2, at); },
      [&](const Array&, const Array& dy) { return ref::pad_columns(1, 2, 3, dy); }, a);
  expect_derivative(
      "pad_columns", [&](const Array& at) { return ref::pad_columns(2, 3, 7, at); },
      [&](const Array&, const Array& dy) { return ref::slice_columns(2, 7, 3, dy); }, a);
}

TEST(DerivativeTest, Gate) {
  const Array x = drawn_values({4, 6}, "x"), dy = drawn_values({4, 3}, "dy");
  expect_derivative(
      "gate", [](const Array& at) { return ref::gate(3, at); },
      [](const Array& at, const Array& g) { return ref::gate_backward(3, g, at); }, x);
  expect_derivative(
      "gate_backward by x", [&](const Array& at) { return ref::gate_backward(3, dy, at); },
      [&](const Array&, const Array& u) { return ref::gate_backward(3, dy, u); }, x);
}

TEST(DerivativeTest, Permute) {
  const Shape shape{2, 3, 4, 2};
  const Permute p{{3, 0, 2, 1}};
  expect_derivative(
      "permute", [&](const Array& at) { return ref::permute(p, shape, at); },
      [&](const Array&, const Array& dy) { return ref::permute(inverse(p), permute_output(p, shape), dy); },
      drawn_values(shape, "x"));
}

TEST(DerivativeTest, GroupNorm) {
  const Shape shape{2, 3, 4};
  for (const GroupNorm& p : {GroupNorm{1, true, 0.1F}, {2, false, 0.1F}, {4, false, 0.1F}}) {
    const Array x = drawn_values(shape, "x"), gamma = drawn_values({4}, "gamma"), beta = drawn_values({4}, "beta");
    const auto forward = [&](const Array& at, const Array& gains, const Array& shifts) {
      std::array<Array, 3> made;
      ref::group_norm_forward(p, shape, at, gains, shifts, made[0], made[1], made[2]);
      return made;
    };
    const auto backward = [&](const Array& at, const Array& dy, const Array& gains) {
      const auto made = forward(at, gains, gains.empty() ? Array() : beta);
      return ref::group_norm_backward(p, shape, dy, at, gains, made[1], made[2]);
    };
    const std::string name = fmt::format("group_norm of {} groups, ", p.groups);
    expect_derivative(
        name + "by x", [&](const Array& at) { return forward(at, gamma, beta)[0]; },
        [&](const Array& at, const Array& dy) { return backward(at, dy, gamma).dx; }, x);
    expect_derivative(
        name + "plain, by x", [&](const Array& at) { return forward(at, {}, {})[0]; },
        [&](const Array& at, const Array& dy) { return backward(at, dy, {}).dx; }, x);
    expect_derivative(
        name + "by gamma", [&](const Array& at) { return forward(x, at, beta)[0]; },
        [&](const Array& at, const Array& dy) { return backward(x, dy, at).dgamma; }, gamma);
    expect_derivative(
        name + "by beta", [&](const Array& at) { return forward(x, gamma, at)[0]; },
        [&](const Array&, const Array& dy) { return backward(x, dy, gamma).dbeta; }, beta);
  }
}

TEST(DerivativeTest, Pad2d) {
  const Shape shape{2, 3, 4, 2};
  for (const Pad2d& p : {Pad2d{PadKind::reflect, 1, 2, 2, 0}, {PadKind::edge, 2, 0, 1, 5}}) {
    expect_derivative(
        "pad2d", [&](const Array& at) { return ref::pad2d(p, shape, at); },
        [&](const Array&, const Array& dy) { return ref::pad2d_backward(p, shape, dy); }, drawn_values(shape, "x"));
    expect_derivative(
        "pad2d_backward", [&](const Array& at) { return ref::pad2d_backward(p, shape, at); },
        [&](const Array&, const Array& dx) { return ref::pad2d(p, shape, dx); },
        drawn_values(pad2d_output(p, shape), "dy"));
  }
}

TEST(DerivativeTest, GridSample) {
  const Shape shape{2, 3, 5, 2}, grid_shape{2, 4, 3, 2};
  const Array x = drawn_values(shape, "x"), grid = drawn_values(grid_shape, "grid", uniform(-1.5, 1.5));
  for (const GridEdge edge : {GridEdge::zeros, GridEdge::border}) {
    const GridSample p{edge};
    expect_derivative(
        "grid_sample by x", [&](const Array& at) { return ref::grid_sample(p, shape, grid_shape, at, grid); },
        [&](const Array&, const Array& dy) { return ref::grid_sample_backward_input(p, shape, grid_shape, dy, grid); },
        x);
    expect_derivative(
        "grid_sample by grid", [&](const Array& at) { return ref::grid_sample(p, shape, grid_shape, x, at); },
        [&](const Array& at, const Array& dy) {
          return ref::grid_sample_backward_grid(p, shape, grid_shape, dy, x, at);
        },
        grid);
  }
}

TEST(DerivativeTest, BatchedMatmul) {
  const int batch = 2, m = 3, n = 5, k = 4;
  const Array left = drawn_values({batch * m * k}, "left"), right = drawn_values({batch * k * n}, "right");
  const auto product = [&](bool ta, bool tb, int rows, int columns, int inner, const Array& a, const Array& b) {
    return ref::batched_matmul({ta, tb}, batch, rows, columns, inner, a, b);
  };
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const std::string name = fmt::format("batched_matmul transposed {} {}", ta, tb);
      expect_derivative(
          name + " by a", [&](const Array& a) { return product(ta, tb, m, n, k, a, right); },
          [&](const Array&, const Array& dy) {
            return ta ? product(tb, true, k, m, n, right, dy) : product(false, !tb, m, k, n, dy, right);
          },
          left);
      expect_derivative(
          name + " by b", [&](const Array& b) { return product(ta, tb, m, n, k, left, b); },
          [&](const Array&, const Array& dy) {
            return tb ? product(true, ta, n, k, m, dy, left) : product(!ta, false, k, n, m, left, dy);
          },
          right);
    }
  }
}

TEST(DerivativeTest, Softmax) {
  expect_derivative(
      "softmax", [&](const Array& x) { return ref::softmax(5, x); },
      [&](const Array& x, const Array& dy) { return ref::softmax_backward(5, dy, ref::softmax(5, x)); },
      drawn_values({3, 5}, "x"));
}

TEST(DerivativeTest, Rows) {
  const int row = 5;
  const Array a = drawn_values({3, row}, "a"), b = drawn_values({2, row}, "b");
  expect_derivative(
      "concat_rows by a", [&](const Array& at) { return ref::concat_rows(at, b); },
      [&](const Array&, const Array& dy) { return ref::slice_rows(0, 3, row, dy); }, a);
  expect_derivative(
      "concat_rows by b", [&](const Array& at) { return ref::concat_rows(a, at); },
      [&](const Array&, const Array& dy) { return ref::slice_rows(3, 2, row, dy); }, b);
  expect_derivative(
      "slice_rows", [&](const Array& at) { return ref::slice_rows(1, 2, row, at); },
      [&](const Array&, const Array& dy) { return ref::pad_rows(1, 3, row, dy); }, a);
  expect_derivative(
      "pad_rows", [&](const Array& at) { return ref::pad_rows(2, 7, row, at); },
      [&](const Array&, const Array& dy) { return ref::slice_rows(2, 3, row, dy); }, a);
}

TEST(DerivativeTest, ShiftFlip) {
  const Shape shape{3, 3, 4, 2};
  const ShiftFlip p{{5, Purpose::interpolation}, 1, true, PictureEdge::value, 0.5F};
  ShiftFlip without_value = p;
  without_value.value = 0;
  const Array x = drawn_values(shape, "pictures");
  expect_derivative(
      "shift_flip", [&](const Array& at) { return ref::shift_flip(p, shape, at, 2); },
      [&](const Array&, const Array& dy) { return ref::shift_flip_backward(p, shape, dy, 2); }, x);
  expect_derivative(
      "shift_flip_backward", [&](const Array& at) { return ref::shift_flip_backward(p, shape, at, 2); },
      [&](const Array&, const Array& dy) { return ref::shift_flip(without_value, shape, dy, 2); }, x);
}

TEST(DerivativeTest, AugmentPictures) {
  const Shape shape{9, 4, 5, 4};
  const AugmentPictures p{1, 2, 1, 2, true, 0.3F, 0.6F, 0.4F};
  AugmentPictures linear = p;
  linear.brightness = 0;
  const Array x = drawn_values(shape, "pictures"), draws = drawn_values({9, kAugmentDraws}, "draws", uniform(0, 1));
  expect_derivative(
      "augment_pictures", [&](const Array& at) { return ref::augment_pictures(p, shape, at, draws, 0.7); },
      [&](const Array&, const Array& dy) { return ref::augment_pictures_backward(p, shape, dy, draws, 0.7); }, x);
  expect_derivative(
      "augment_pictures_backward",
      [&](const Array& at) { return ref::augment_pictures_backward(p, shape, at, draws, 0.7); },
      [&](const Array&, const Array& dy) { return ref::augment_pictures(linear, shape, dy, draws, 0.7); }, x);
}

}  // namespace

}  // namespace duel::test
