// Biases, activations, normalisation, and what follows logits: wrong calls of each.
#include "kernels/batch_norm.h"
#include "kernels/bias_act.h"
#include "kernels/cross_entropy.h"
#include "kernels/gate.h"
#include "kernels/group_norm.h"
#include "kernels/softmax.h"
#include "tests/support/wrong_calls.h"

#include <fmt/format.h>

#include <limits>

namespace duel::test::refusals_layers {

namespace {

std::vector<WrongCall> wrong_bias_act_forwards() {
  const auto call = [](View x, View bias, View y) {
    return [=](Context& context) { bias_act_forward(context, {}, x, bias, y); };
  };
  return {{"y of another shape", call(f32({3, 5}), kNone, f32({5, 3})), {"[3,5]", "[5,3]"}},
          {"y of another type", call(f32({3, 5}), kNone, bf16({3, 5})), {"f32[3,5]", "bf16[3,5]"}},
          {"bias as long as rows", call(f32({3, 5}), f32({3}), f32({3, 5})), {"[3]", "[5]"}},
          {"bias in bf16", call(bf16({3, 5}), bf16({5}), bf16({3, 5})), {"bf16[5]"}},
          {"bias of rank 2", call(f32({3, 5}), f32({1, 5}), f32({3, 5})), {"[1,5]"}},
          {"x of integers", call(i64({3, 5}), kNone, i64({3, 5})), {"i64[3,5]"}},
          {"no x", call(kNone, kNone, f32({3, 5})), {}},
          {"no y", call(f32({3, 5}), kNone, kNone), {"[3,5]"}}};
}

std::vector<WrongCall> wrong_activation_backwards() {
  const auto call = [](View dy, View y, View dx) {
    return [=](Context& context) { activation_backward(context, {}, dy, y, dx); };
  };
  return {{"y of another shape", call(f32({3, 5}), f32({15}), f32({3, 5})), {"[3,5]", "[15]"}},
          {"dx of another shape", call(f32({3, 5}), f32({3, 5}), f32({3, 4})), {"[3,5]", "[3,4]"}},
          {"y of another type", call(f32({3, 5}), bf16({3, 5}), f32({3, 5})), {"bf16[3,5]"}},
          {"dx of another type", call(bf16({3, 5}), bf16({3, 5}), f32({3, 5})), {"f32[3,5]"}},
          {"all of integers", call(u8({3, 5}), u8({3, 5}), u8({3, 5})), {"u8[3,5]"}},
          {"no dy", call(kNone, f32({3, 5}), f32({3, 5})), {}}};
}

std::vector<WrongCall> wrong_bias_backwards() {
  const auto call = [](View dy, View db) { return [=](Context& context) { bias_backward(context, dy, db); }; };
  return {{"db as long as rows", call(f32({3, 5}), f32({3})), {"[3]", "[5]"}},
          {"db in bf16", call(bf16({3, 5}), bf16({5})), {"bf16[5]"}},
          {"dy of integers", call(i64({3, 5}), f32({5})), {"i64[3,5]"}},
          {"no dy", call(kNone, f32({5})), {}},
          {"no db", call(f32({3, 5}), kNone), {"[5]"}}};
}

std::vector<WrongCall> wrong_bias_act_backwards() {
  const auto call = [](View dy, View y, View dx, View db) {
    return [=](Context& context) { bias_act_backward(context, {}, dy, y, dx, db); };
  };
  return {{"y of another shape", call(f32({3, 5}), f32({5, 3}), f32({3, 5}), f32({5})), {"[3,5]", "[5,3]"}},
          {"dx of another type", call(f32({3, 5}), f32({3, 5}), bf16({3, 5}), f32({5})), {"bf16[3,5]"}},
          {"db as long as rows", call(f32({3, 5}), f32({3, 5}), f32({3, 5}), f32({3})), {"[3]", "[5]"}},
          {"db in bf16", call(bf16({3, 5}), bf16({3, 5}), bf16({3, 5}), bf16({5})), {"bf16[5]"}},
          {"no dy", call(kNone, f32({3, 5}), f32({3, 5}), f32({5})), {}}};
}

// x or dx, and y or dy.
template <class Op>
std::vector<WrongCall> wrong_gates(Op op) {
  const auto call = [op](View x, View y) { return [=](Context& context) { op(context, x, y); }; };
  return {{"odd columns", call(f32({4, 5}), f32({4, 2})), {"[4,5]", "[4,2]"}},
          {"as many columns", call(f32({4, 6}), f32({4, 6})), {"[4,6]"}},
          {"other rows", call(f32({4, 6}), f32({5, 3})), {"[4,6]", "[5,3]"}},
          {"another type", call(f32({4, 6}), bf16({4, 3})), {"f32[4,6]", "bf16[4,3]"}},
          {"integers", call(i32({4, 6}), i32({4, 3})), {"i32[4,6]"}},
          {"no x", call(kNone, f32({4, 3})), {}},
          {"no y", call(f32({4, 6}), kNone), {"[4,6]"}}};
}

struct GroupNormArrays {
  View x, gamma, beta, y, mean, rstd;
};

std::vector<WrongCall> wrong_group_norm_forwards() {
  const auto call = [](const GroupNorm& p, const GroupNormArrays& a) {
    return [=](Context& context) { group_norm_forward(context, p, a.x, a.gamma, a.beta, a.y, a.mean, a.rstd); };
  };
  const View x = f32({2, 3, 4}), c = f32({4}), of_rows = f32({2, 2});
  const GroupNorm p{2, false};
  return {
      {"groups that do not divide", call({3, false}, {x, c, c, x, f32({2, 3}), f32({2, 3})}), {"[2,3,4]", "3 groups"}},
      {"no groups", call({0, false}, {x, c, c, x, of_rows, of_rows}), {"0 groups"}},
      {"no epsilon", call({2, false, 0}, {x, c, c, x, of_rows, of_rows}), {"epsilon 0"}},
      {"gamma alone", call(p, {x, c, kNone, x, of_rows, of_rows}), {"gamma is given", "beta is not"}},
      {"beta alone", call(p, {x, kNone, c, x, of_rows, of_rows}), {"gamma is not", "beta is given"}},
      {"gamma in bf16", call(p, {x, bf16({4}), c, x, of_rows, of_rows}), {"gamma is bf16[4]"}},
      {"shorter beta", call(p, {x, c, f32({3}), x, of_rows, of_rows}), {"beta is f32[3]", "f32[4]"}},
      {"y of another type", call(p, {x, c, c, bf16({2, 3, 4}), of_rows, of_rows}), {"y is bf16"}},
      {"the mean of each pixel", call(p, {x, c, c, x, f32({6, 2}), of_rows}), {"mean is f32[6,2]", "f32[2,2]"}},
      {"rstd of each row", call({2, true}, {x, c, c, x, f32({6, 2}), of_rows}), {"rstd is f32[2,2]", "f32[6,2]"}},
      {"x of integers", call(p, {i32({2, 3, 4}), c, c, x, of_rows, of_rows}), {"i32[2,3,4]"}},
      {"too many sums",
       call({1, false},
            {f32({1 << 9, 2, 1 << 9}), kNone, kNone, f32({1 << 9, 2, 1 << 9}), f32({1 << 9, 1}), f32({1 << 9, 1})}),
       {"131072"}},
      {"no x", call(p, {kNone, c, c, x, of_rows, of_rows}), {}}};
}

std::vector<WrongCall> wrong_group_norm_backwards() {
  const auto call = [](View dy, View x, View gamma, View mean, View dx, View dgamma, View dbeta) {
    return [=](Context& context) {
      group_norm_backward(context, {2, false}, dy, x, gamma, mean, f32({2, 2}), dx, dgamma, dbeta);
    };
  };
  const View x = f32({2, 3, 4}), c = f32({4}), of_rows = f32({2, 2});
  return {{"dy of another shape", call(f32({2, 4, 3}), x, c, of_rows, x, c, c), {"dy is f32[2,4,3]"}},
          {"dx of another type", call(x, x, c, of_rows, bf16({2, 3, 4}), c, c), {"dx is bf16[2,3,4]"}},
          {"no dgamma", call(x, x, c, of_rows, x, kNone, c), {"dgamma is not", "both"}},
          {"dbeta without gamma", call(x, x, kNone, of_rows, x, kNone, c), {"dbeta is given", "neither"}},
          {"longer gamma", call(x, x, f32({5}), of_rows, x, c, c), {"gamma is f32[5]"}},
          {"mean of columns", call(x, x, c, c, x, c, c), {"mean is f32[4]", "f32[2,2]"}},
          {"no x", call(x, kNone, c, of_rows, x, c, c), {}}};
}

std::vector<WrongCall> wrong_softmax_backwards() {
  const auto call = [](View dy, View y, View dx) {
    return [=](Context& context) { softmax_backward(context, dy, y, dx); };
  };
  return {{"another dy", call(f32({5, 3}), f32({3, 5}), f32({3, 5})), {"[5,3]", "[3,5]"}},
          {"another dx", call(f32({3, 5}), f32({3, 5}), bf16({3, 5})), {"bf16[3,5]"}},
          {"of integers", call(i32({3, 5}), i32({3, 5}), i32({3, 5})), {"i32[3,5]"}},
          {"no dy", call(kNone, f32({3, 5}), f32({3, 5})), {}},
          {"no y", call(f32({3, 5}), kNone, f32({3, 5})), {}},
          {"no dx", call(f32({3, 5}), f32({3, 5}), kNone), {}}};
}

std::vector<WrongCall> wrong_cross_entropies() {
  const auto call = [](float smoothing, View logits, View labels, View loss, View log_sums) {
    return [=](Context& context) { softmax_cross_entropy(context, {smoothing}, logits, labels, loss, log_sums); };
  };
  const View x = f32({3, 5}), l = i32({3}), one = f32({1}), sums = f32({3});
  return {{"logits of rank 1", call(0, f32({3}), l, one, sums), {"f32[3]"}},
          {"logits in bf16", call(0, bf16({3, 5}), l, one, sums), {"bf16[3,5]"}},
          {"labels of floats", call(0, x, f32({3}), one, sums), {"f32[3]"}},
          {"too few labels", call(0, x, i32({2}), one, sums), {"i32[2]", "[3,5]"}},
          {"a loss of each row", call(0, x, l, sums, sums), {"loss is f32[3]"}},
          {"sums of each column", call(0, x, l, one, f32({5})), {"log_sums is f32[5]"}},
          {"smoothed to nothing", call(1, x, l, one, sums), {"1"}},
          {"smoothed backwards", call(-0.5F, x, l, one, sums), {"-0.5"}},
          {"no logits", call(0, kNone, l, one, sums), {}},
          {"no labels", call(0, x, kNone, one, sums), {}},
          {"no loss", call(0, x, l, kNone, sums), {}},
          {"no sums", call(0, x, l, one, kNone), {}}};
}

std::vector<WrongCall> wrong_cross_entropy_backwards() {
  const auto call = [](float smoothing, View logits, View labels, View log_sums, View dlogits) {
    return [=](Context& context) {
      softmax_cross_entropy_backward(context, {smoothing}, logits, labels, log_sums, dlogits);
    };
  };
  const View x = f32({3, 5}), l = i32({3}), sums = f32({3});
  return {{"logits of rank 1", call(0, f32({3}), l, sums, x), {"f32[3]"}},
          {"too many labels", call(0, x, i32({4}), sums, x), {"i32[4]", "[3,5]"}},
          {"sums of each column", call(0, x, l, f32({5}), x), {"log_sums is f32[5]"}},
          {"dlogits in bf16", call(0, x, l, sums, bf16({3, 5})), {"bf16[3,5]"}},
          {"smoothed to nothing", call(1, x, l, sums, x), {"1"}},
          {"no logits", call(0, kNone, l, sums, x), {}},
          {"no labels", call(0, x, kNone, sums, x), {}},
          {"no sums", call(0, x, l, kNone, x), {}},
          {"no dlogits", call(0, x, l, sums, kNone), {}}};
}

std::vector<WrongCall> wrong_fractions() {
  const auto call = [](View logits, View labels, View y) {
    return [=](Context& context) { fraction_correct(context, logits, labels, y); };
  };
  return {{"logits of rank 4", call(f32({3, 1, 1, 5}), i32({3}), f32({1})), {"[3,1,1,5]"}},
          {"labels as logits", call(f32({3, 5}), f32({3, 5}), f32({1})), {"labels is f32[3,5]"}},
          {"y of each row", call(f32({3, 5}), i32({3}), f32({3})), {"y is f32[3]"}},
          {"no logits", call(kNone, i32({3}), f32({1})), {}},
          {"no labels", call(f32({3, 5}), kNone, f32({1})), {}},
          {"no y", call(f32({3, 5}), i32({3}), kNone), {}}};
}

struct BatchNormArrays {
  View x = f32({2, 3, 5}), y = f32({2, 3, 5}), dy = f32({2, 3, 5});
  View gamma = f32({5}), beta = f32({5}), mean = f32({5}), spread = f32({5});  // spread: rstd or the variance
};
using BatchNormCall = std::function<void(Context&, const BatchNorm&, const BatchNormArrays&)>;

std::vector<WrongCall> wrong_batch_norms(const BatchNormCall& op) {
  const auto with = [op](View BatchNormArrays::*which, View view) {
    return [=](Context& context) {
      BatchNormArrays arrays;
      arrays.*which = view;
      op(context, {}, arrays);
    };
  };
  return {{"y of another shape", with(&BatchNormArrays::y, f32({6, 5})), {"f32[6,5]", "f32[2,3,5]"}},
          {"y of another type", with(&BatchNormArrays::y, bf16({2, 3, 5})), {"bf16[2,3,5]", "f32[2,3,5]"}},
          {"x of integers", with(&BatchNormArrays::x, u8({2, 3, 5})), {"u8[2,3,5]"}},
          {"no x", with(&BatchNormArrays::x, kNone), {}},
          {"gamma as long as rows", with(&BatchNormArrays::gamma, f32({6})), {"gamma is f32[6]", "f32[5]"}},
          {"gamma in bf16", with(&BatchNormArrays::gamma, bf16({5})), {"gamma is bf16[5]"}},
          {"mean of rank 2", with(&BatchNormArrays::mean, f32({1, 5})), {"mean is f32[1,5]", "f32[5]"}},
          {"no spread", with(&BatchNormArrays::spread, kNone), {"f32[5]"}}};
}

std::vector<WrongCall> wrong_batch_norm_forwards(const BatchNormCall& op) {
  std::vector<WrongCall> list = wrong_batch_norms(op);
  for (const float epsilon : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    list.push_back({fmt::format("epsilon {}", epsilon),
                    [=](Context& context) {
                      op(context, {epsilon, {}}, {});
                    },
                    {fmt::format("epsilon is {}", epsilon)}});
  }
  list.push_back(
      {"short beta", [=](Context& context) { op(context, {}, {.beta = f32({4})}); }, {"beta is f32[4]", "f32[5]"}});
  return list;
}

std::vector<WrongCall> wrong_batch_norm_backwards() {
  const BatchNormCall op = [](Context& context, const BatchNorm&, const BatchNormArrays& a) {
    batch_norm_backward(context, a.dy, a.x, a.gamma, a.mean, a.spread, a.y, f32({5}), a.beta);
  };
  std::vector<WrongCall> list = wrong_batch_norms(op);
  list.push_back({"dy of another shape",
                  [=](Context& context) {
                    op(context, {}, {.dy = f32({2, 3, 4})});
                  },
                  {"f32[2,3,4]", "f32[2,3,5]"}});
  list.push_back(
      {"dbeta in bf16", [=](Context& context) { op(context, {}, {.beta = bf16({5})}); }, {"dbeta is bf16[5]"}});
  return list;
}

std::vector<WrongCall> wrong_batch_norm_tracks() {
  const auto call = [](const BatchNormTrack& p, View mean, View rstd, View running_mean, View running_variance) {
    return [=](Context& context) { batch_norm_track(context, p, mean, rstd, {running_mean, running_variance}); };
  };
  const View c = f32({5});
  return {{"one row", call({.rows = 1}, c, c, c, c), {"1 rows"}},
          {"no rows", call({}, c, c, c, c), {"0 rows"}},
          {"momentum of a percentage", call({.rows = 8, .momentum = 10}, c, c, c, c), {"momentum is 10"}},
          {"no epsilon", call({.rows = 8, .epsilon = 0}, c, c, c, c), {"epsilon is 0"}},
          {"mean of rank 2", call({.rows = 8}, f32({1, 5}), c, c, c), {"f32[1,5]"}},
          {"mean in bf16", call({.rows = 8}, bf16({5}), c, c, c), {"bf16[5]"}},
          {"shorter rstd", call({.rows = 8}, c, f32({4}), c, c), {"rstd is f32[4]", "f32[5]"}},
          {"longer running_mean", call({.rows = 8}, c, c, f32({6}), c), {"running_mean is f32[6]"}},
          {"no running_variance", call({.rows = 8}, c, c, c, kNone), {"running_variance is"}},
          {"no mean", call({.rows = 8}, kNone, c, c, c), {"mean is"}}};
}

WrongCalls make() {
  return {{"bias_act_forward", wrong_bias_act_forwards()},
          {"activation_backward", wrong_activation_backwards()},
          {"bias_backward", wrong_bias_backwards()},
          {"bias_act_backward", wrong_bias_act_backwards()},
          {"batch_norm_forward",
           wrong_batch_norm_forwards([](Context& context, const BatchNorm& p, const BatchNormArrays& a) {
             batch_norm_forward(context, p, a.x, a.gamma, a.beta, a.y, a.mean, a.spread);
           })},
          {"batch_norm_inference",
           wrong_batch_norm_forwards([](Context& context, const BatchNorm& p, const BatchNormArrays& a) {
             batch_norm_inference(context, p, a.x, a.gamma, a.beta, a.mean, a.spread, a.y);
           })},
          {"batch_norm_backward", wrong_batch_norm_backwards()},
          {"batch_norm_track", wrong_batch_norm_tracks()},
          {"group_norm_forward", wrong_group_norm_forwards()},
          {"group_norm_backward", wrong_group_norm_backwards()},
          {"gate", wrong_gates([](Context& c, View x, View y) { gate(c, x, y); })},
          {"gate_backward", wrong_gates([](Context& c, View x, View dy) { gate_backward(c, dy, x, x); })},
          {"softmax", wrong_maps_of_one_type([](Context& context, View x, View y) { softmax(context, x, y); })},
          {"softmax_backward", wrong_softmax_backwards()},
          {"softmax_cross_entropy", wrong_cross_entropies()},
          {"softmax_cross_entropy_backward", wrong_cross_entropy_backwards()},
          {"fraction_correct", wrong_fractions()}};
}

const RegisteredWrongCalls calls{make};

}  // namespace

}  // namespace duel::test::refusals_layers
