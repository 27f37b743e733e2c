// engine/rewrite/proportional_gradients.h: a step's gradients with it and without it, and how many products it leaves.
#include "engine/rewrite/proportional_gradients.h"

#include "engine/nn/losses.h"
#include "engine/rewrite/differentiate.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace duel::test {
namespace {

constexpr int kRows = 6, kFeatures = 7;

struct Discriminator {
  Activation activation{ActivationKind::leaky_relu, 0.2F};
  DType compute = DType::f32;
  bool is_by_class = true;
  bool mixes_rows = false;  // by batch normalisation
};

struct Weights {
  Value conv1, bias1, conv2, bias2, dense, bias3, last, bias4, classes;
  std::vector<Value> all() const { return {conv1, bias1, conv2, bias2, dense, bias3, last, bias4}; }
};

Weights draw_weights(SmallProgram& s) {
  return {s.input({5, 4, 4, 3}),      s.input({5}),         s.input({4, 3, 3, 5}),   s.input({4}),
          s.input({64, kFeatures}),   s.input({kFeatures}), s.input({kFeatures, 1}), s.input({1}),
          s.input({kRows, kFeatures})};
}

// Logits f32 [N,1] of pictures [N,8,8,3].
Value judge(Program& p, const Discriminator& d, const Weights& w, Value pictures) {
  const auto weight = [&](Value master) { return ops::cast(p, master, d.compute); };
  const int rows = p.shape(pictures)[0];
  Value x = ops::conv2d(p, {.stride = 2, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1},
                        ops::cast(p, pictures, d.compute), weight(w.conv1));
  x = ops::bias_act(p, d.activation, x, w.bias1);
  x = ops::conv2d(p, Conv2d::same(3), x, weight(w.conv2));
  if (d.mixes_rows) {
    x = ops::batch_norm(p, {}, x, w.bias2, w.bias2).y;
  }
  x = ops::bias_act(p, d.activation, x, w.bias2);
  x = ops::matmul(p, {}, p.reshape(x, {rows, 64}), weight(w.dense), d.compute);
  x = ops::bias_act(p, d.activation, x, w.bias3);
  const Value logits = ops::bias_act(p, {}, ops::matmul(p, {}, x, weight(w.last), DType::f32), w.bias4);
  if (!d.is_by_class) {
    return logits;
  }
  const Value products = ops::multiply(p, ops::cast(p, x, DType::f32), w.classes);
  const Value sums = ops::reduce_sum(p, {Axes::each_row, 1.0F}, products);
  return ops::add(p, logits, p.reshape(sums, p.shape(logits)));
}

// A relativistic loss of two halves of a batch, and R1 and R2.
std::vector<Value> penalised_gradients(SmallProgram& s, const Discriminator& d,
                                       LossKind kind = LossKind::relativistic) {
  Program& p = s.program;
  const Weights w = draw_weights(s);
  const Value pictures = s.input({kRows, 8, 8, 3});
  const Value logits = judge(p, d, w, pictures);
  const Value squares = squared_gradient_norms(p, logits, pictures);
  constexpr int kHalf = kRows / 2;
  const Value loss =
      discriminator_loss(p, kind, ops::slice_rows(p, logits, 0, kHalf), ops::slice_rows(p, logits, kHalf, kHalf));
  return differentiate(p, ops::add(p, loss, ops::affine(p, ops::mean(p, squares), 0.3)), w.all());
}

int products_of(const Program& p) {
  return static_cast<int>(
      std::count_if(p.nodes().begin(), p.nodes().end(), [](const Node& node) { return node.traits.is_product; }));
}

int count_of(const Program& p, const std::string& op) {
  return static_cast<int>(
      std::count_if(p.nodes().begin(), p.nodes().end(), [&](const Node& node) { return node.op == op; }));
}

struct Products {
  int before, after;
};

double largest_of(const std::vector<float>& values) {
  double largest = 0;
  for (const float x : values) {
    largest = std::max(largest, std::abs(static_cast<double>(x)));
  }
  return largest;
}

// Both programs' results agree to `tolerance` of the largest of each array; the last bias's to that of the last
// weight's, for a relativistic loss leaves nothing of it but rounding.
template <class Record>
Products expect_same(const Record& record, double tolerance) {
  SmallProgram plain, shared;
  const std::vector<Value> expected = record(plain), got = record(shared);
  // As gradients are: in memory outside the program, which the last node of each writes.
  std::vector<Buffer> memory;
  for (std::size_t i = 0; i < got.size(); ++i) {
    for (SmallProgram* s : {&plain, &shared}) {
      const Value value = s == &plain ? expected[i] : got[i];
      memory.emplace_back(s->context(), static_cast<std::size_t>(s->program.shape(value).count()) * sizeof(float));
      const Value place =
          s->place("result" + std::to_string(i), memory.back().view(s->program.shape(value), DType::f32));
      ops::write_to(s->program, value, place);
    }
  }
  plain.program.prune();
  const Products products{products_of(plain.program), [&] {
                            share_proportional_gradients(shared.program);
                            return products_of(shared.program);
                          }()};
  plain.finish();
  shared.finish();
  plain.run();
  shared.run();
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto values = [&](std::size_t which) {
      const Value value = expected[i];
      const std::int64_t count = plain.program.shape(value).count();
      const auto* data = static_cast<const float*>(memory[2 * i + which].data());
      return std::vector<float>(data, data + count);
    };
    const std::vector<float> a = values(0), b = values(1);
    constexpr std::size_t kLastBias = 7;
    largest = i == kLastBias ? std::max(largest, largest_of(a)) : largest_of(a);
    EXPECT_GT(largest, 0) << i;
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_NEAR(a[k], b[k], tolerance * largest) << "result " << i << " at " << k;
    }
  }
  return products;
}

// Of 4 layers: 4 forward, 4 back to the picture, 3 forward for the penalty's derivative, which asks for 4 weights; the
// loss then passes 3 back and asks for the same 4 weights. Those 7 are saved; 3 are for biases.
TEST(ProportionalGradients, TheLossTakesThePenaltysPass) {
  for (const bool is_by_class : {false, true}) {
    for (const LossKind kind : {LossKind::relativistic, LossKind::bce, LossKind::lsgan}) {
      const Products products = expect_same(
          [&](SmallProgram& s) { return penalised_gradients(s, {.is_by_class = is_by_class}, kind); }, 1e-5);
      EXPECT_EQ(products.before, 22);
      EXPECT_EQ(products.after, 22 - 7 + 3);
    }
  }
}

TEST(ProportionalGradients, InBf16) {
  const Products products = expect_same(
      [](SmallProgram& s) { return penalised_gradients(s, {.compute = DType::bf16, .is_by_class = true}); }, 0.02);
  EXPECT_EQ(products.before, 22);
  EXPECT_EQ(products.after, 22 - 7 + 3);
}

// Of a curved activation the penalty's derivative comes to what the loss passes back: only the last layer is shared.
TEST(ProportionalGradients, NotBeyondWhatIsCurved) {
  const Products products =
      expect_same([](SmallProgram& s) { return penalised_gradients(s, {.activation = {ActivationKind::tanh}}); }, 1e-4);
  EXPECT_LT(products.after, products.before);
  EXPECT_GT(products.after, 22 - 7);
}

TEST(ProportionalGradients, NotBeyondWhatMixesRows) {
  const Products products =
      expect_same([](SmallProgram& s) { return penalised_gradients(s, {.mixes_rows = true}); }, 1e-4);
  EXPECT_LT(products.after, products.before);
}

// R1 alone, of real pictures that go through by themselves: three are not passed back again. Of the last layer, which
// passes the same back whatever the picture, the generated ones' way back is saved too, and two of three for its
// weight.
TEST(ProportionalGradients, OfOneOfTwoPasses) {
  const Products products = expect_same(
      [](SmallProgram& s) {
        Program& p = s.program;
        const Weights w = draw_weights(s);
        const Value real = s.input({kRows, 8, 8, 3}), fake = s.input({kRows, 8, 8, 3});
        const Value of_real = judge(p, {}, w, real), of_fake = judge(p, {}, w, fake);
        const Value squares = squared_gradient_norms(p, of_real, real);
        const Value loss = discriminator_loss(p, LossKind::bce, of_real, of_fake);
        return differentiate(p, ops::add(p, loss, ops::mean(p, squares)), w.all());
      },
      1e-5);
  EXPECT_EQ(products.after, products.before - 6);
}

// A penalty at other pictures (Gulrajani et al., 2017) has the last layer alone in common with the loss: what a linear
// layer passes back does not depend on the picture.
TEST(ProportionalGradients, OfAPenaltyAtOtherPicturesTheLastLayer) {
  const Products products = expect_same(
      [](SmallProgram& s) {
        Program& p = s.program;
        const Weights w = draw_weights(s);
        const Value pictures = s.input({kRows, 8, 8, 3}), others = s.input({kRows, 8, 8, 3});
        const Value penalty = wgan_gradient_penalty(p, squared_gradient_norms(p, judge(p, {}, w, others), others));
        return differentiate(p, ops::add(p, ops::mean(p, judge(p, {}, w, pictures)), penalty), w.all());
      },
      1e-5);
  EXPECT_EQ(products.after, products.before - 1);
}

// Where a weight is written between the two passes, the second must be computed.
TEST(ProportionalGradients, LeavesAPassThroughWeightsThatHaveChanged) {
  for (const bool is_written : {false, true}) {
    SmallProgram s;
    Program& p = s.program;
    const Weights w = draw_weights(s);
    const Value pictures = s.input({kRows, 8, 8, 3}), step = s.counter(0), other = s.input({4 * 3 * 3 * 5});
    const Value logits = judge(p, {}, w, pictures);
    const Value squares = squared_gradient_norms(p, logits, pictures);
    if (is_written) {
      ops::ema(p, 0.5, step, other, p.reshape(w.conv2, {4 * 3 * 3 * 5}));
    }
    const Value loss = ops::add(p, ops::mean(p, logits), ops::mean(p, squares));
    for (const Value gradient : differentiate(p, loss, w.all())) {
      p.keep(gradient);
    }
    share_proportional_gradients(p);
    // The way back through conv2 of the loss is there again, or is not.
    EXPECT_EQ(count_of(p, "conv2d_backward_input"), is_written ? 3 : 2);
  }
}

TEST(ProportionalGradients, LeavesWhatIsKept) {
  SmallProgram plain, shared;
  std::vector<float> results[2];
  for (SmallProgram* s : {&plain, &shared}) {
    const std::vector<Value> gradients = penalised_gradients(*s, {});
    for (const Value gradient : gradients) {
      s->program.keep(gradient);
    }
    s == &plain ? s->program.prune() : share_proportional_gradients(s->program);
    s->finish();
    s->run();
    for (const Value gradient : gradients) {
      for (const float x : s->read(gradient)) {
        results[s == &plain ? 0 : 1].push_back(x);
      }
    }
  }
  ASSERT_EQ(results[0].size(), results[1].size());
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    EXPECT_NEAR(results[0][i], results[1][i], 1e-4);
  }
}

}  // namespace
}  // namespace duel::test
