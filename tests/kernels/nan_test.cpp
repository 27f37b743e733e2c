// A number that is not one must not be hidden by an operator: a broken step would look healthy. Each activation, alone
// and in the epilogue of every kind of product, each loss, and the pointwise functions.
#include "kernels/batch_norm.h"
#include "kernels/batched_matmul.h"
#include "kernels/bias_act.h"
#include "kernels/conv2d.h"
#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/matmul.h"
#include "kernels/small_program.h"
#include "kernels/softmax.h"
#include "tests/support/op_runner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <limits>

namespace duel::test {

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class NanTest : public testing::TestWithParam<Backend> {
protected:
  NanTest() : context_(GetParam().open(GetParam().variants.front())) {}

  // An array of halves; `place` is not a number, unless negative.
  View array(const Shape& shape, DType dtype, std::int64_t place = -1) {
    Array values(static_cast<std::size_t>(shape.count()), 0.5);
    if (place >= 0) {
      values[static_cast<std::size_t>(place)] = kNan;
    }
    const std::vector<std::byte> bytes = to_bytes(values, dtype);
    const View view = buffers_.emplace_back(*context_, bytes.size()).view(shape, dtype);
    upload<std::byte>(*context_, view_of_bytes(view), bytes);
    return view;
  }
  static View view_of_bytes(const View& view) { return {view.data, Shape{static_cast<int>(view.bytes())}, DType::u8}; }
  Array read(const View& view) { return from_bytes(download<std::byte>(*context_, view_of_bytes(view)), view.dtype); }
  void expect_nan(const View& view, std::int64_t place, const std::string& what) {
    const double value = read(view)[static_cast<std::size_t>(place)];
    EXPECT_TRUE(std::isnan(value)) << what << " makes " << value << " of it";
  }
  std::vector<DType> types() const {
    return GetParam().tf32 || !context_->supports_bf16() ? std::vector{DType::f32}
                                                         : std::vector{DType::f32, DType::bf16};
  }

  std::shared_ptr<Context> context_;
  std::deque<Buffer> buffers_;
};

TEST_P(NanTest, PassesEveryActivation) {
  for (const DType dtype : types()) {
    for (const Activation& act : every_activation()) {
      const View x = array({5, 33}, dtype, 40), bias = array({33}, DType::f32), y = array({5, 33}, dtype);
      bias_act_forward(*context_, act, x, View{}, y);
      expect_nan(y, 40, "bias_act_forward, " + name_of(act));
      bias_act_forward(*context_, act, x, bias, y);
      expect_nan(y, 40, "bias_act_forward with a bias, " + name_of(act));
      const View dx = array({5, 33}, dtype), db = array({33}, DType::f32), positive = array({5, 33}, dtype);
      activation_backward(*context_, act, x, positive, dx);
      expect_nan(dx, 40, "activation_backward, " + name_of(act));
      bias_act_backward(*context_, act, x, positive, dx, db);
      expect_nan(dx, 40, "bias_act_backward, " + name_of(act));
      expect_nan(db, 7, "the sum of bias_act_backward, " + name_of(act));
    }
  }
}

TEST_P(NanTest, PassesTheEpilogueOfEveryProduct) {
  for (const DType dtype : types()) {
    for (const Activation& act : every_activation()) {
      // Narrow, ragged, whole, in parts; and so long that the CPU has a way of its own.
      for (const auto& [n, k] : {std::pair{1, 40}, {24, 37}, {24, 64}, {72, 640}, {96, 4352}}) {
        const View a = array({9, k}, dtype, 3 * k + 5), b = array({k, n}, dtype), bias = array({n}, DType::f32),
                   y = array({9, n}, dtype);
        Matmul p;
        p.activation = act;
        prepare_matmul(*context_, p, a, b, bias, y);
        matmul(*context_, p, a, b, bias, y);
        expect_nan(y, 3 * n, fmt::format("matmul of {} and {}, {}", a, b, name_of(act)));
      }
      for (const auto& [pictures, channels] :
           {std::pair{2, 1}, {2, 3}, {2, 5}, {2, 32}, {80, 16}}) {  // the last: Winograd
        const View x = array({pictures, 5, 6, channels}, dtype, 7 * channels), w = array({32, 3, 3, channels}, dtype),
                   bias = array({32}, DType::f32), y = array({pictures, 5, 6, 32}, dtype);
        prepare_conv2d_forward(*context_, Conv2d::same(3), act, x, w, bias, y);
        conv2d_forward(*context_, Conv2d::same(3), act, x, w, bias, y);
        expect_nan(y, std::int64_t{7} * 32 + 3, fmt::format("conv2d_forward of {}, {}", x, name_of(act)));
      }
      const View x = array({9, 24}, dtype, 30), gamma = array({24}, DType::f32), y = array({9, 24}, dtype),
                 mean = array({24}, DType::f32), rstd = array({24}, DType::f32);
      batch_norm_forward(*context_, {1e-5F, act}, x, gamma, gamma, y, mean, rstd);
      expect_nan(y, 30, "batch_norm_forward, " + name_of(act));
      batch_norm_inference(*context_, {1e-5F, act}, x, gamma, gamma, gamma, gamma, y);
      expect_nan(y, 30, "batch_norm_inference, " + name_of(act));
    }
  }
}

TEST_P(NanTest, PassesSmallPrograms) {
  for (const DType dtype : types()) {
    const std::vector<View> in = {array({33}, dtype, 5)}, out = {array({33}, dtype)};
    const std::vector<SmallArray> arrays = {{SmallArray::Place::input, 0, {33}, dtype},
                                            {SmallArray::Place::output, 0, {33}, dtype}};
    for (const ActivationKind kind : {ActivationKind::relu, ActivationKind::leaky_relu, ActivationKind::tanh}) {
      const SmallInstruction act{.op = SmallOp::bias_act, .x = 0, .y = 1, .activation = {kind, 0.2F}};
      small_program(*context_, {arrays, {act}}, in, out);
      expect_nan(out[0], 5, "small_program: " + to_string(act.activation));
    }
    for (const UnaryKind kind : kUnaryKinds) {
      if (kind == UnaryKind::positive) {
        continue;
      }
      small_program(*context_, {arrays, {{.op = SmallOp::unary, .x = 0, .y = 1, .unary = kind}}}, in, out);
      expect_nan(out[0], 5, fmt::format("small_program: {}", name_of(kind)));
    }
  }
}

TEST_P(NanTest, PassesTheCrossEntropy) {
  const View logits = array({9, 7}, DType::f32, 24), loss = array({1}, DType::f32), sums = array({9}, DType::f32),
             gradient = array({9, 7}, DType::f32), correct = array({1}, DType::f32);
  for (const std::int32_t label : {0, 3}) {  // another's logit, and the label's own
    Buffer memory(*context_, 9 * sizeof(std::int32_t));
    const View labels = memory.view({9}, DType::i32);
    upload<std::int32_t>(*context_, labels, std::vector<std::int32_t>(9, label));
    softmax_cross_entropy(*context_, {0.1F}, logits, labels, loss, sums);
    expect_nan(loss, 0, "softmax_cross_entropy");
    expect_nan(sums, 3, "the sum of softmax_cross_entropy");
    softmax_cross_entropy_backward(*context_, {0.1F}, logits, labels, sums, gradient);
    for (int k = 0; k < 7; ++k) {
      expect_nan(gradient, 21 + k, "softmax_cross_entropy_backward");
    }
    fraction_correct(*context_, logits, labels, correct);
    EXPECT_NEAR(read(correct)[0], label == 0 ? 8.0 / 9 : 0.0, 1e-6);  // of equal logits, the first
  }
}

TEST_P(NanTest, PassesAttention) {
  for (const DType dtype : types()) {
    const View a = array({3, 9, 5}, dtype, 60), b = array({3, 5, 7}, dtype), y = array({3, 9, 7}, dtype);
    batched_matmul(*context_, {}, a, b, y);
    expect_nan(y, 84, "batched_matmul");         // a's row 12
    for (const std::int64_t place : {21, 24}) {  // the first of a row, and one behind it
      const View x = array({9, 7}, dtype, place), shares = array({9, 7}, dtype), dx = array({9, 7}, dtype);
      softmax(*context_, x, shares);
      softmax_backward(*context_, x, array({9, 7}, dtype), dx);
      for (int k = 0; k < 7; ++k) {
        expect_nan(shares, 21 + k, "softmax");
        expect_nan(dx, 21 + k, "softmax_backward");
      }
      EXPECT_NEAR(read(shares)[20], 1.0 / 7, 1e-2);
    }
  }
}

TEST_P(NanTest, PassesPointwiseFunctions) {
  for (const DType dtype : types()) {
    const View x = array({33}, dtype, 5), y = array({33}, dtype);
    for (const UnaryKind kind : kUnaryKinds) {
      if (kind != UnaryKind::positive) {
        unary(*context_, kind, x, y);
        expect_nan(y, 5, fmt::format("unary {}", name_of(kind)));
      }
    }
    clamp(*context_, {-1, 1}, x, y);
    expect_nan(y, 5, "clamp");
  }
}

INSTANTIATE_TEST_SUITE_P(backends, NanTest, testing::ValuesIn(backends()),
                         [](const testing::TestParamInfo<Backend>& test) { return test.param.name; });

}  // namespace

}  // namespace duel::test
