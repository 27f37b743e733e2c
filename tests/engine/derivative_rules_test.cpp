// Every derivative rule of engine/ops against central differences, once and twice: the loss is a weighted sum of
// the recorded function's output, and the second-order loss the sum of squares of its gradient.
#include "engine/rewrite/differentiate.h"

#include "engine/nn/losses.h"
#include "kernels/check.h"
#include "tests/support/small_program.h"
#include "tests/support/sums.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace duel::test {
namespace {

using Record = std::function<Value(SmallProgram&, std::vector<Value>&)>;

struct DerivativeCase {
  std::string name;
  Record record;             // binds inputs (pushed to the vector) and returns the output
  bool second_order = true;  // the gradient depends on the inputs, smoothly
};

void PrintTo(const DerivativeCase& c, std::ostream* out) {
  *out << c.name;
}

// Largest deviation of the recorded gradient from central differences, relative to the largest gradient.
double gradient_error(SmallProgram& s, const std::vector<Value>& inputs, Value loss,
                      const std::vector<Value>& gradients) {
  constexpr float kStep = 4e-3F;
  std::vector<std::vector<float>> computed;
  s.run();
  for (const Value gradient : gradients) {
    computed.push_back(s.read(gradient));
  }
  double largest = 1e-3, error = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    float* values = s.data(k);
    for (std::size_t i = 0; i < computed[k].size(); ++i) {
      const float kept = values[i];
      values[i] = kept + kStep;
      s.run();
      const double above = static_cast<double>(s.read(loss)[0]);
      values[i] = kept - kStep;
      s.run();
      const double below = static_cast<double>(s.read(loss)[0]);
      values[i] = kept;
      const double expected = (above - below) / (2 * static_cast<double>(kStep));
      largest = std::max(largest, std::fabs(expected));
      error = std::max(error, std::fabs(expected - static_cast<double>(computed[k][i])));
    }
  }
  return error / largest;
}

class Derivative : public testing::TestWithParam<DerivativeCase> {};

TEST_P(Derivative, FirstOrderAgreesWithCentralDifferences) {
  SmallProgram s;
  std::vector<Value> inputs;
  const Value loss = weighted_sum(s.program, GetParam().record(s, inputs));
  const std::vector<Value> gradients = differentiate(s.program, loss, inputs);
  s.program.keep(loss);
  for (const Value gradient : gradients) {
    s.program.keep(gradient);
  }
  s.finish();
  EXPECT_LT(gradient_error(s, inputs, loss, gradients), 5e-3);
}

TEST_P(Derivative, SecondOrderAgreesWithCentralDifferences) {
  if (!GetParam().second_order) {
    return;  // declared without one
  }
  SmallProgram s;
  std::vector<Value> inputs;
  const Value loss = weighted_sum(s.program, GetParam().record(s, inputs));
  const Value squares = sum_of_squares(s.program, differentiate(s.program, loss, inputs));
  const std::vector<Value> gradients = differentiate(s.program, squares, inputs);
  s.program.keep(squares);
  for (const Value gradient : gradients) {
    s.program.keep(gradient);
  }
  s.finish();
  EXPECT_LT(gradient_error(s, inputs, squares, gradients), 2e-2);
}

Value take(SmallProgram& s, std::vector<Value>& inputs, const Shape& shape, float low = -1.0F, float high = 1.0F) {
  inputs.push_back(s.input(shape, low, high));
  return inputs.back();
}

Record matmul_case(bool ta, bool tb) {
  return [ta, tb](SmallProgram& s, std::vector<Value>& in) {
    const Value a = take(s, in, ta ? Shape{5, 3} : Shape{3, 5});
    const Value b = take(s, in, tb ? Shape{7, 5} : Shape{5, 7});
    return ops::matmul(s.program, {ta, tb, {}}, a, b, DType::f32);
  };
}

Record batched_matmul_case(bool ta, bool tb) {
  return [ta, tb](SmallProgram& s, std::vector<Value>& in) {
    const Value a = take(s, in, ta ? Shape{2, 4, 3} : Shape{2, 3, 4});
    const Value b = take(s, in, tb ? Shape{2, 5, 4} : Shape{2, 4, 5});
    return ops::batched_matmul(s.program, {ta, tb}, a, b, DType::f32);
  };
}

Record activation_case(Activation act, bool bias) {
  return [act, bias](SmallProgram& s, std::vector<Value>& in) {
    const Value x = take(s, in, {4, 5}, 0.05F, 1.0F);  // away from the kink, so that differences see one side
    const Value b = bias ? take(s, in, {5}, 0.0F, 0.5F) : Value{};
    return ops::bias_act(s.program, act, x, b);
  };
}

Record unary_case(UnaryKind kind) {
  return [kind](SmallProgram& s, std::vector<Value>& in) {
    return ops::unary(s.program, kind, take(s, in, {3, 3}, 0.4F, 2.0F));
  };
}

Record loss_case(LossKind kind, bool generator) {
  return [kind, generator](SmallProgram& s, std::vector<Value>& in) {
    const Value real = take(s, in, {6, 1}), fake = take(s, in, {6, 1});
    return generator ? generator_loss(s.program, kind, fake, real) : discriminator_loss(s.program, kind, real, fake);
  };
}

struct BatchNormInputs {
  Value x, gamma, beta;
};
BatchNormInputs take_batch_norm(SmallProgram& s, std::vector<Value>& in) {
  const Value x = take(s, in, {2, 3, 2, 3}), gamma = take(s, in, {3}, 0.5F, 1.5F);
  return {x, gamma, take(s, in, {3})};
}

const Conv2d kStrided{2, 1, 0, 2, 1};

// y, and the statistics as results of their own, joined to one array.
Record group_norm_case(const GroupNorm& p, bool is_affine) {
  return [p, is_affine](SmallProgram& s, std::vector<Value>& in) {
    const Value x = take(s, in, {2, 3, 2, 4});
    const Value gamma = is_affine ? take(s, in, {4}, 0.5F, 1.5F) : Value{},
                beta = is_affine ? take(s, in, {4}) : Value{};
    const ops::GroupNormed n = ops::group_norm(s.program, p, x, gamma, beta);
    const int statistics = static_cast<int>(s.program.shape(n.mean).count());
    const Value weighted = ops::multiply(s.program, n.y, take(s, in, {2, 3, 2, 4}));
    const Value both =
        ops::concat_rows(s.program, s.program.reshape(n.mean, {statistics}), s.program.reshape(n.rstd, {statistics}));
    return ops::concat_rows(s.program, both, s.program.reshape(weighted, {48}));
  };
}

Record group_norm_backward_case(const GroupNorm& p, bool is_affine) {
  return [p, is_affine](SmallProgram& s, std::vector<Value>& in) {
    const Shape statistics = group_norm_statistics(p, {2, 3, 4});
    const Value dy = take(s, in, {2, 3, 4}), x = take(s, in, {2, 3, 4}), mean = take(s, in, statistics),
                rstd = take(s, in, statistics, 0.5F, 1.5F);
    const Value gamma = is_affine ? take(s, in, {4}, 0.5F, 1.5F) : Value{};
    const ops::GroupNormGradients g = ops::group_norm_backward(s.program, p, dy, x, gamma, mean, rstd);
    const Value dx = s.program.reshape(g.dx, {24});
    return is_affine ? ops::concat_rows(s.program, ops::concat_rows(s.program, g.dgamma, g.dbeta), dx) : dx;
  };
}

// Between pixels, where the derivative by the grid does not jump; `by_grid`: by the grid, else by the pictures.
Record grid_case(GridEdge edge, bool by_grid) {
  return [edge, by_grid](SmallProgram& s, std::vector<Value>& in) {
    const Shape pictures{1, 3, 5, 2}, places{1, 2, 3, 2};
    // The first of the inputs. Of five columns, the pixels' middles are at u = -0.8, -0.4 ...; of three rows at
    // v = -2/3, 0 ...
    const Value first = by_grid ? take(s, in, places, 0.05F, 0.35F) : take(s, in, pictures);
    const Value second = by_grid ? s.input(pictures) : s.input(places, -1.4F, 1.4F);
    const Value x = by_grid ? second : first, grid = by_grid ? first : second;
    return ops::grid_sample(s.program, {edge}, x, grid);
  };
}

std::vector<DerivativeCase> cases() {
  std::vector<DerivativeCase> list = {
      {"matmul", matmul_case(false, false)},
      {"matmul_ta", matmul_case(true, false)},
      {"matmul_tb", matmul_case(false, true)},
      {"matmul_ta_tb", matmul_case(true, true)},
      {"conv2d",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::conv2d(s.program, Conv2d::same(3), take(s, in, {2, 4, 3, 2}), take(s, in, {3, 3, 3, 2}));
       }},
      {"conv2d_strided",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::conv2d(s.program, kStrided, take(s, in, {1, 5, 6, 4}), take(s, in, {2, 3, 2, 4}));
       }},
      {"conv2d_grouped",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::conv2d(s.program, Conv2d::same(3, 2), take(s, in, {1, 3, 4, 4}), take(s, in, {6, 3, 3, 2}));
       }},
      {"conv2d_depthwise",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::conv2d(s.program, {1, 0, 0, 0, 0, 3}, take(s, in, {2, 4, 4, 3}), take(s, in, {3, 4, 4, 1}));
       }},
      {"resample2d_up",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::resample2d(s.program, bilinear_up(), take(s, in, {2, 3, 2, 3}), 6, 4);
       }},
      {"resample2d_down",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::resample2d(s.program, {1, 2, 1, {0.5F, -1, 2, 0.25F}}, take(s, in, {1, 5, 6, 2}), 2, 3);
       }},
      {"conv2d_backward_input",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {1, 3, 4, 2}), w = take(s, in, {2, 3, 2, 4});
         return ops::conv2d_backward_input(s.program, kStrided, dy, w, {1, 6, 6, 4}, DType::f32);
       }},
      {"conv2d_backward_weight",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value x = take(s, in, {2, 4, 3, 2}), dy = take(s, in, {2, 4, 3, 3});
         return ops::conv2d_backward_weight(s.program, Conv2d::same(3), x, dy, {3, 3, 3, 2});
       }},
      {"relu", activation_case({ActivationKind::relu}, true)},
      {"leaky_relu", activation_case({ActivationKind::leaky_relu, 0.2F}, true)},
      {"tanh", activation_case({ActivationKind::tanh}, true)},
      {"sigmoid", activation_case({ActivationKind::sigmoid}, false)},
      {"bias_alone", activation_case({}, true)},
      {"activation_backward_tanh",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {4, 3}), y = take(s, in, {4, 3}, -0.9F, 0.9F);
         return ops::activation_backward(s.program, {ActivationKind::tanh}, dy, y);
       }},
      {"activation_backward_sigmoid",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {4, 3}), y = take(s, in, {4, 3}, 0.1F, 0.9F);
         return ops::activation_backward(s.program, {ActivationKind::sigmoid}, dy, y);
       }},
      {"add_and_multiply",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value a = take(s, in, {7}), b = take(s, in, {7});
         return ops::add(s.program, ops::multiply(s.program, a, b), ops::multiply(s.program, a, a));
       }},
      {"affine",
       [](SmallProgram& s, std::vector<Value>& in) { return ops::affine(s.program, take(s, in, {5}), -1.5, 0.25); }},
      {"scale_scheduled",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value x = take(s, in, {3, 3});
         return ops::scale_scheduled(s.program, Schedule::linear(1, 3, 0, 10), s.counter(5), x);
       }},
      {"softplus", unary_case(UnaryKind::softplus)},
      {"unary_sigmoid", unary_case(UnaryKind::sigmoid)},
      {"square_root", unary_case(UnaryKind::square_root)},
      {"reciprocal", unary_case(UnaryKind::reciprocal)},
      {"exp", unary_case(UnaryKind::exp)},
      {"log", unary_case(UnaryKind::log)},
      {"abs", unary_case(UnaryKind::abs)},
      {"abs_of_negatives",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::unary(s.program, UnaryKind::abs, take(s, in, {7}, -2.0F, -0.1F));
       }},
      {"sin", unary_case(UnaryKind::sin)},
      {"cos", unary_case(UnaryKind::cos)},
      {"rsqrt", unary_case(UnaryKind::rsqrt)},
      {"clamp",  // of squares, some beyond either end
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value x = take(s, in, {5, 5}, -2.0F, 2.0F);
         return ops::clamp(s.program, ops::multiply(s.program, x, x), 0.5, 2.5);
       }},
      {"take_rows",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value index = s.labels({2, 0, 2, 1, 2});
         return ops::take_rows(s.program, take(s, in, {4, 3}), index);
       }},
      {"shift_flip",
       [](SmallProgram& s, std::vector<Value>& in) {
         const ShiftFlip p{{5, Purpose::interpolation}, 1, true, PictureEdge::value, 0.5F};
         const Value x = take(s, in, {3, 3, 4, 2});  // the first of the inputs
         return ops::shift_flip(s.program, p, x, s.counter(2));
       }},
      {"shift_flip_backward",
       [](SmallProgram& s, std::vector<Value>& in) {
         const ShiftFlip p{{5, Purpose::interpolation}, 1, true, PictureEdge::value, 0.5F};
         const Value x = take(s, in, {3, 3, 4, 2});  // the first of the inputs
         return ops::shift_flip_backward(s.program, p, x, s.counter(2));
       }},
      {"augment_pictures",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value x = take(s, in, {3, 3, 4, 3});  // the first of the inputs
         const Value draws = s.input({3, kAugmentDraws}, 0, 1), probability = s.input({1}, 0.8F, 0.9F);
         return ops::augment_pictures(s.program, {1, 1, 1, 2, true, 0.3F, 0.6F, 0.4F}, x, draws, probability);
       }},
      {"augment_pictures_backward",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value x = take(s, in, {3, 3, 4, 3});  // the first of the inputs
         const Value draws = s.input({3, kAugmentDraws}, 0, 1), probability = s.input({1}, 0.8F, 0.9F);
         return ops::augment_pictures_backward(s.program, {1, 1, 1, 2, true, 0.3F, 0.6F, 0.4F}, x, draws, probability);
       }},
      {"scatter_rows",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value index = s.labels({2, 0, 2, 1, 2});
         return ops::scatter_rows(s.program, take(s, in, {5, 3}), index, 4);
       }},
      {"concat_and_slice_columns",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value both = ops::concat_columns(s.program, take(s, in, {2, 3}), take(s, in, {2, 4}));
         return ops::slice_columns(s.program, ops::multiply(s.program, both, both), 1, 4);
       }},
      {"permute",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::permute(s.program, take(s, in, {2, 3, 4, 2}), {{3, 0, 2, 1}});
       }},
      {"pixel_shuffle_and_unshuffle",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value large = ops::pixel_shuffle(s.program, take(s, in, {1, 2, 4, 8}), 2);
         return ops::pixel_unshuffle(s.program, ops::multiply(s.program, large, large), 4);
       }},
      {"scale_rows",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value scale = take(s, in, {3}), x = take(s, in, {3, 2, 4});
         return ops::scale_rows(s.program, scale, x, take(s, in, {3, 2, 4}));
       }},
      {"gate", [](SmallProgram& s, std::vector<Value>& in) { return ops::gate(s.program, take(s, in, {2, 3, 6})); }},
      {"gate_backward",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {4, 3});
         return ops::gate_backward(s.program, dy, take(s, in, {4, 6}));
       }},
      {"pad_columns",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::pad_columns(s.program, take(s, in, {2, 3, 2}), 1, 5);
       }},
      {"batched_matmul", batched_matmul_case(false, false)},
      {"batched_matmul_ta", batched_matmul_case(true, false)},
      {"batched_matmul_tb", batched_matmul_case(false, true)},
      {"batched_matmul_ta_tb", batched_matmul_case(true, true)},
      {"softmax",
       [](SmallProgram& s, std::vector<Value>& in) { return ops::softmax(s.program, take(s, in, {2, 3, 4})); }},
      {"softmax_backward",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {3, 4});
         return ops::softmax_backward(s.program, dy, take(s, in, {3, 4}, 0.1F, 0.5F));
       }},
      {"softmax_cross_entropy",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::softmax_cross_entropy(s.program, {}, take(s, in, {3, 4}), s.labels({1, 3, 0})).loss;
       }},
      {"softmax_cross_entropy_smoothed",  // with a row that has no label, and the sums as a result of their own
       [](SmallProgram& s, std::vector<Value>& in) {
         const auto [loss, log_sums] =
             ops::softmax_cross_entropy(s.program, {.smoothing = 0.2F}, take(s, in, {4, 3}), s.labels({1, 3, 0, 2}));
         return ops::concat_rows(s.program, loss, ops::unary(s.program, UnaryKind::exp, ops::affine(s.program, log_sums, -1.0)));
       }},
      {"softmax_cross_entropy_backward",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value logits = take(s, in, {3, 4}), log_sums = take(s, in, {3}, 1.0F, 2.0F);
         return ops::softmax_cross_entropy_backward(s.program, {.smoothing = 0.1F}, logits, s.labels({1, 3, 0}), log_sums);
       }},
      {"concat_and_slice",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value both = ops::concat_rows(s.program, take(s, in, {2, 3}), take(s, in, {4, 3}));
         return ops::slice_rows(s.program, ops::multiply(s.program, both, both), 1, 4);
       }},
      {"pad_rows",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::pad_rows(s.program, take(s, in, {2, 3}), 1, 5);
       }},
      {"batch_norm",
       [](SmallProgram& s, std::vector<Value>& in) {
         const auto [x, gamma, beta] = take_batch_norm(s, in);
         const Value y = ops::batch_norm(s.program, {.epsilon = 0.1F}, x, gamma, beta).y;
         return ops::multiply(s.program, y, take(s, in, {2, 3, 2, 3}));  // or its squares' sum would not depend on x
       }},
      {"batch_norm_statistics",  // as results of their own, joined to one array
       [](SmallProgram& s, std::vector<Value>& in) {
         const auto [x, gamma, beta] = take_batch_norm(s, in);
         const ops::BatchNormed n = ops::batch_norm(s.program, {.epsilon = 0.1F}, x, gamma, beta);
         const Value both = ops::concat_rows(s.program, n.mean, n.rstd);
         return ops::concat_rows(s.program, both, s.program.reshape(ops::multiply(s.program, n.y, n.y), {36}));
       }},
      {"layer_norm", group_norm_case({1, true, 0.1F}, true)},
      {"instance_norm", group_norm_case({4, false, 0.1F}, false)},
      {"group_norm", group_norm_case({2, false, 0.1F}, true)},
      {"layer_norm_backward", group_norm_backward_case({1, true}, true)},
      {"instance_norm_backward", group_norm_backward_case({4, false}, false)},
      {"group_norm_backward", group_norm_backward_case({2, false}, true)},
      {"pad2d_reflect",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::pad2d(s.program, {PadKind::reflect, 1, 2, 2, 0}, take(s, in, {2, 3, 4, 2}));
       }},
      {"pad2d_edge",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::pad2d(s.program, {PadKind::edge, 2, 0, 1, 3}, take(s, in, {1, 2, 3, 2}));
       }},
      {"pad2d_backward",
       [](SmallProgram& s, std::vector<Value>& in) {
         return ops::pad2d_backward(s.program, {PadKind::reflect, 1, 1, 1, 1}, take(s, in, {1, 5, 6, 2}), {1, 3, 4, 2});
       }},
      {"grid_sample_zeros", grid_case(GridEdge::zeros, false)},
      {"grid_sample_border", grid_case(GridEdge::border, false)},
      {"grid_sample_by_grid", grid_case(GridEdge::zeros, true), false},
      {"grid_sample_backward_input",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {1, 2, 3, 2});
         return ops::grid_sample_backward_input(s.program, {}, dy, s.input({1, 2, 3, 2}, -1.4F, 1.4F), {1, 3, 5, 2});
       }},
      {"batch_norm_backward",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {4, 3}), x = take(s, in, {4, 3}), gamma = take(s, in, {3}, 0.5F, 1.5F),
                     mean = take(s, in, {3}), rstd = take(s, in, {3}, 0.5F, 1.5F);
         const ops::BatchNormGradients g = ops::batch_norm_backward(s.program, dy, x, gamma, mean, rstd);
         const Value both = ops::concat_rows(s.program, g.dgamma, g.dbeta);
         return ops::concat_rows(s.program, both, s.program.reshape(g.dx, {12}));
       }},
      {"batch_norm_dgamma",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value dy = take(s, in, {4, 3}), x = take(s, in, {4, 3}), gamma = take(s, in, {3}, 0.5F, 1.5F),
                     mean = take(s, in, {3}), rstd = take(s, in, {3}, 0.5F, 1.5F);
         return ops::batch_norm_backward(s.program, dy, x, gamma, mean, rstd).dgamma;
       }},
      {"batch_norm_inference",
       [](SmallProgram& s, std::vector<Value>& in) {
         const auto [x, gamma, beta] = take_batch_norm(s, in);
         const Value mean = take(s, in, {3}), variance = take(s, in, {3}, 0.5F, 1.5F);
         return ops::batch_norm_inference(s.program, {}, x, gamma, beta, mean, variance);
       }},
      {"mix_rows",
       [](SmallProgram& s, std::vector<Value>& in) {
         const Value share = take(s, in, {3}, 0.1F, 0.9F), a = take(s, in, {3, 4});
         return mix_rows(s.program, share, a, take(s, in, {3, 4}));
       }},
  };
  for (const Axes axes : {Axes::all, Axes::each_row, Axes::each_column, Axes::each_row_and_column}) {
    list.push_back({std::string("reduce_") + name_of(axes), [axes](SmallProgram& s, std::vector<Value>& in) {
                      return ops::reduce_sum(s.program, {axes, 0.7F}, take(s, in, {3, 2, 4}));
                    }});
    list.push_back({std::string("broadcast_") + name_of(axes), [axes](SmallProgram& s, std::vector<Value>& in) {
                      const Value x = take(s, in, reduce_output(axes, {3, 2, 4}));
                      return ops::broadcast(s.program, {axes, 0.7F}, x, {3, 2, 4}, DType::f32);
                    }});
  }
  for (const auto& [kind, name] : {std::pair{LossKind::bce, "bce"},
                                   {LossKind::lsgan, "lsgan"},
                                   {LossKind::hinge, "hinge"},
                                   {LossKind::relativistic, "relativistic"},
                                   {LossKind::wgan, "wgan"}}) {
    list.push_back({std::string("d_loss_") + name, loss_case(kind, false)});
    list.push_back({std::string("g_loss_") + name, loss_case(kind, true)});
  }
  return list;
}

INSTANTIATE_TEST_SUITE_P(Ops, Derivative, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace duel::test
