// Gradients recorded by differentiate(): of small networks in closed form, of what stops, repeats or is not there.
#include "engine/rewrite/differentiate.h"

#include "engine/nn/losses.h"
#include "kernels/check.h"
#include "tests/support/small_program.h"
#include "tests/support/sums.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace duel::test {
namespace {

// R1 of a small network in closed form: D(x) = sum_k v_k tanh(w_k . x), so the gradient norm can be written down.
TEST(SquaredGradientNorms, AgreeWithTheFormulaOfASmallNetwork) {
  SmallProgram s;
  const Value x = s.input({3, 4}), w = s.input({4, 5}), v = s.input({5, 1});
  const Value hidden =
      ops::bias_act(s.program, {ActivationKind::tanh}, ops::matmul(s.program, {}, x, w, DType::f32), {});
  const Value logits = ops::matmul(s.program, {}, hidden, v, DType::f32);
  const Value norms = squared_gradient_norms(s.program, logits, x);
  s.program.keep(norms);
  s.finish();
  s.run();
  const std::vector<float> result = s.read(norms);
  for (int n = 0; n < 3; ++n) {
    double expected = 0;
    for (int i = 0; i < 4; ++i) {
      double gradient = 0;
      for (int k = 0; k < 5; ++k) {
        double sum = 0;
        for (int j = 0; j < 4; ++j) {
          sum += static_cast<double>(s.data(0)[n * 4 + j]) * static_cast<double>(s.data(1)[j * 5 + k]);
        }
        gradient += static_cast<double>(s.data(2)[k]) * (1 - std::tanh(sum) * std::tanh(sum)) *
                    static_cast<double>(s.data(1)[i * 5 + k]);
      }
      expected += gradient * gradient;
    }
    EXPECT_NEAR(result[static_cast<std::size_t>(n)], expected, 1e-5);
  }
}

// What trains in bf16: rounding to bf16 leaves about two digits, of the gradient of a gradient too.
TEST(Differentiate, BatchNormOnBf16IsThatOnF32Rounded) {
  const auto record = [](SmallProgram& s, DType dtype) {
    const Value x = s.input({16, 3}), gamma = s.input({3}, 0.5F, 1.5F), beta = s.input({3});
    const Value y = ops::batch_norm(s.program, {}, ops::cast(s.program, x, dtype), gamma, beta).y;
    // Without weights, the sum over the batch would be that of beta alone.
    const Value weighted = ops::multiply(s.program, ops::cast(s.program, y, DType::f32), s.input({16, 3}));
    const Value loss = weighted_sum(s.program, weighted);
    std::vector<Value> results = differentiate(s.program, loss, {x, gamma, beta});
    const std::vector<Value> second = differentiate(s.program, sum_of_squares(s.program, results), {x, gamma, beta});
    results.insert(results.end(), second.begin(), second.end());
    for (const Value value : results) {
      s.program.keep(value);
    }
    s.finish();
    s.run();
    return results;
  };
  SmallProgram wide, narrow;
  const std::vector<Value> expected = record(wide, DType::f32), got = record(narrow, DType::bf16);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::vector<float> a = wide.read(expected[i]), b = narrow.read(got[i]);
    float largest = 0;
    for (const float value : a) {
      largest = std::max(largest, std::fabs(value));
    }
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_NEAR(a[k], b[k], 0.03 * static_cast<double>(largest)) << "result " << i;
    }
  }
}

// Two batches through running averages, against PyTorch's rule; and the normalisation with them afterwards.
TEST(BatchNormTrack, FollowsTheBatches) {
  SmallProgram s;
  const Value x = s.input({8, 2}, 1.0F, 3.0F);
  Buffer averages(s.context(), 4 * sizeof(float));
  auto* running = static_cast<float*>(averages.data());
  std::copy_n(std::vector<float>{0, 0, 1, 1}.data(), 4, running);  // means 0, variances 1
  const ops::RunningStatistics statistics{s.place("mean", averages.view({2}, DType::f32)),
                                          s.place("variance", averages.view({2}, DType::f32, 2 * sizeof(float)))};
  const Value ones = ops::fill(s.program, {2}, DType::f32, 1.0), zeros = ops::fill(s.program, {2}, DType::f32, 0.0);
  const ops::BatchNormed n = ops::batch_norm(s.program, {}, x, ones, zeros);
  ops::batch_norm_track(s.program, {.rows = 8, .momentum = 0.25F}, n.mean, n.rstd, statistics);
  const Value y = ops::batch_norm_inference(s.program, {}, x, ones, zeros, statistics.mean, statistics.variance);
  s.program.keep(y);
  s.finish();
  s.run();
  s.run();
  for (int c = 0; c < 2; ++c) {
    double mean = 0, variance = 0;
    for (int i = 0; i < 8; ++i) {
      mean += static_cast<double>(s.data(0)[2 * i + c]) / 8;
    }
    for (int i = 0; i < 8; ++i) {
      variance += std::pow(static_cast<double>(s.data(0)[2 * i + c]) - mean, 2) / 7;
    }
    const double kept = 0.75 * 0.75;
    EXPECT_NEAR(running[c], (1 - kept) * mean, 1e-6);
    EXPECT_NEAR(running[2 + c], kept + (1 - kept) * variance, 1e-6);
    EXPECT_NEAR(s.read(y)[static_cast<std::size_t>(c)], (s.data(0)[c] - running[c]) / std::sqrt(running[2 + c] + 1e-5F),
                1e-5);
  }
}

TEST(Differentiate, GivesZerosForWhatTheLossDoesNotDependOn) {
  SmallProgram s;
  const Value a = s.input({3}), b = s.input({2});
  const std::vector<Value> gradients = differentiate(s.program, ops::multiply(s.program, a, a), {a, b});
  s.program.keep(gradients[1]);
  s.finish();
  s.run();
  EXPECT_EQ(s.read(gradients[1]), (std::vector<float>{0, 0}));
}

TEST(Differentiate, SumsOverAllUsesOfAValueAndThroughReshapes) {
  SmallProgram s;
  const Value a = s.input({2, 3});
  const Value flat = s.program.reshape(a, {6});
  const Value loss =
      ops::add(s.program, ops::affine(s.program, flat, 2.0), s.program.reshape(ops::affine(s.program, a, 3.0), {6}));
  const Value gradient = differentiate(s.program, loss, {a})[0];
  s.program.keep(gradient);
  s.finish();
  s.run();
  EXPECT_EQ(s.read(gradient), std::vector<float>(6, 5.0F));
}

TEST(Differentiate, TakesWhatAGradientStopsAtForAConstant) {
  SmallProgram s;
  const Value x = s.input({3});
  Program& p = s.program;
  const Value y = ops::multiply(p, x, ops::stop_gradient(p, ops::multiply(p, x, x)));
  const Value gradient = differentiate(p, ops::reduce_sum(p, {Axes::all, 1.0F}, y), {x})[0];
  p.keep(gradient);
  s.finish();
  s.run();
  for (std::size_t i = 0; i < 3; ++i) {
    const float value = s.data(0)[i];
    EXPECT_FLOAT_EQ(s.read(gradient)[i], value * value);
  }
}

TEST(Differentiate, NamesAnOperatorWithoutADerivative) {
  SmallProgram s;
  const Program::Scope scope(s.program, "critic");
  const Value a = s.input({4});
  const Value norm = ops::global_norm(s.program, a);
  try {
    differentiate(s.program, norm, {a});
    FAIL() << "global_norm has no derivative";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("global_norm has no derivative (recorded as \"critic\")"),
              std::string::npos)
        << error.what();
  }
}

// So that a bench can tell one layer's gradient from another's.
TEST(Differentiate, AGradientBearsTheNameOfTheLayerItIsOf) {
  SmallProgram s;
  Program& p = s.program;
  const Value x = s.input({4, 4}), w = s.input({4, 4});
  const Program::Scope phase(p, "d_main");
  Value y;
  {
    const Program::Scope layer(p, "discriminator/fc1");
    y = ops::matmul(p, {}, x, w, DType::f32);
  }
  differentiate(p, ops::mean(p, y), {w});
  EXPECT_EQ(p.nodes().back().op, "matmul");
  EXPECT_EQ(p.place(p.nodes().back()), "d_main/backward/discriminator/fc1");
  EXPECT_EQ(p.place(*std::find_if(p.nodes().begin(), p.nodes().end(), [](const Node& n) { return n.op == "fill"; })),
            "d_main/backward");
  ops::advance_counter(p, s.counter(0));
  EXPECT_EQ(p.place(p.nodes().back()), "d_main");
}

}  // namespace
}  // namespace duel::test
