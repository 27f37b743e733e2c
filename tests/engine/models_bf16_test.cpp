// The networks of engine/models in bf16 beside themselves in fp32.
#include "engine/models/classifier.h"
#include "engine/models/conv_steady.h"
#include "engine/models/msr_resnet.h"
#include "engine/models/nafnet.h"
#include "engine/models/patch_discriminator.h"
#include "engine/models/unet.h"
#include "engine/models/vae.h"
#include "engine/nn/losses.h"
#include "engine/rewrite/differentiate.h"
#include "engine/rewrite/fuse.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>

namespace duel::test {
namespace {

using Block = Parameters::Block;

// Networks with weights that start alike, in one type of arithmetic.
class TypedRun {
public:
  explicit TypedRun(DType dtype) : dtype_(dtype) {}

  Program& program() { return small_.program; }
  SmallProgram& small() { return small_; }
  Parameters& add_network(const std::string& name) { return networks_.emplace_back(name); }

  BoundParameters bind_weights(Parameters& network) {
    network.allocate(small_.context(), {.training = false, .compute = true});
    network.initialize(small_.context(), 1, 0);
    small_.place(network);
    BoundParameters weights(program(), network, Block::master, dtype_ == DType::bf16);
    parameters_.insert(parameters_.end(), weights.all().begin(), weights.all().end());
    return weights;
  }
  Value input(const Shape& shape) { return ops::cast(program(), small_.input(shape), dtype_); }

  // After one run: each of the results, and all gradients of the loss behind each other.
  std::vector<std::vector<float>> read(const std::vector<Value>& results, Value loss) {
    std::vector<Value> values = results;
    for (const Value gradient : differentiate(program(), loss, parameters_)) {
      values.push_back(gradient);
    }
    for (Value& value : values) {
      value = ops::cast(program(), value, DType::f32);
      program().keep(value);
    }
    fuse(program());
    small_.finish();
    small_.run();
    std::vector<std::vector<float>> arrays(results.size() + 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::vector<float>& array = arrays[std::min(i, results.size())];
      const std::vector<float> read = small_.read(values[i]);
      array.insert(array.end(), read.begin(), read.end());
    }
    return arrays;
  }

private:
  SmallProgram small_;
  std::deque<Parameters> networks_;
  std::vector<Value> parameters_;
  DType dtype_;
};

// What trains in bf16: every operand has the type that its operator takes, and rounding leaves what it should.
void expect_bf16_near_f32(const std::function<std::vector<std::vector<float>>(TypedRun&)>& record) {
  TypedRun wide(DType::f32), narrow(DType::bf16);
  if (!wide.small().context().supports_bf16()) {
    GTEST_SKIP() << "this CPU has no bf16";
  }
  const auto expected = record(wide), got = record(narrow);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double difference = 0, norm = 0;
    for (std::size_t k = 0; k < expected[i].size(); ++k) {
      difference += std::pow(static_cast<double>(got[i][k]) - static_cast<double>(expected[i][k]), 2);
      norm += std::pow(static_cast<double>(expected[i][k]), 2);
    }
    EXPECT_GT(norm, 0) << "result " << i;
    const bool is_gradient = i + 1 == expected.size();  // kinks and sums that cancel leave more
    EXPECT_LT(std::sqrt(difference), (is_gradient ? 0.2 : 0.05) * std::sqrt(norm)) << "result " << i;
  }
}

TEST(ModelsInBf16, ConvSteadyIsNearF32) {
  expect_bf16_near_f32([](TypedRun& run) {
    Program& p = run.program();
    const ConvSteadyConfig config{.filters = 8, .features = 32, .classes = 3};
    Parameters &g = run.add_network("generator"), &d = run.add_network("discriminator");
    const ConvSteadyGenerator generator(g, config);
    const ConvSteadyDiscriminator discriminator(d, config);
    const Value labels = run.small().labels({1, 2, 0, 1});
    const Value pictures = generator(p, run.bind_weights(g), run.input({4, 64}), labels);
    const Value judged = ops::add(p, pictures, run.input({4, 28, 28, 1}));
    const Value logits = discriminator(p, run.bind_weights(d), judged, labels);
    const Value penalty = ops::mean(p, squared_gradient_norms(p, logits, judged));
    return run.read({pictures, logits}, ops::add(p, ops::mean(p, logits), penalty));
  });
}

TEST(ModelsInBf16, VaeIsNearF32) {
  expect_bf16_near_f32([](TypedRun& run) {
    Program& p = run.program();
    const VaeConfig config{.latent = 4, .filters = 8};
    Parameters &e = run.add_network("encoder"), &d = run.add_network("decoder");
    const VaeEncoder encoder(e, config);
    const VaeDecoder decoder(d, config);
    const Value pictures = run.input({4, 28, 28, 1});
    const Posterior posterior = encoder(p, run.bind_weights(e), pictures);
    const Value z = sample_posterior(p, posterior, run.small().input({4, 4}));
    const Value again = decoder(p, run.bind_weights(d), ops::cast(p, z, p.dtype(pictures)));
    const Value loss = ops::add(p, ops::mean(p, divergence_from_prior(p, posterior)),
                                optimal_sigma_loss(p, ops::mean(p, squared_errors(p, pictures, again)), 28 * 28));
    return run.read({posterior.mean, posterior.log_variance, again, loss}, loss);
  });
}

TEST(ModelsInBf16, ClassifierIsNearF32) {
  expect_bf16_near_f32([](TypedRun& run) {
    Program& p = run.program();
    Parameters& c = run.add_network("classifier");
    const Classifier classifier(c, {.height = 12, .width = 12, .filters = 8, .blocks = 1});
    const NamedState state = [&](const std::string& name, const Shape& shape, double) {
      (void)name;
      return run.small().input(shape, 0.5F, 1.5F);
    };
    const Value pictures = run.input({16, 12, 12, 1});
    const auto [logits, features, maps] = classifier(p, run.bind_weights(c), state, true, pictures);
    const Value labels = run.small().labels({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5});
    const Value loss = ops::softmax_cross_entropy(p, {}, logits, labels).loss;
    return run.read({logits, features, maps.front(), loss}, loss);
  });
}

TEST(ModelsInBf16, NafnetIsNearF32) {
  expect_bf16_near_f32([](TypedRun& run) {
    Program& p = run.program();
    Parameters& network = run.add_network("nafnet");
    const Nafnet nafnet(network, {.height = 16, .width = 16, .channels = 8, .down = {1}, .middle = 1, .up = {1}});
    const Value made = nafnet(p, run.bind_weights(network), run.input({2, 16, 16, 3}));
    return run.read({made}, ops::mean(p, ops::multiply(p, made, made)));
  });
}

TEST(ModelsInBf16, MsrResnetIsNearF32) {
  expect_bf16_near_f32([](TypedRun& run) {
    Program& p = run.program();
    Parameters& network = run.add_network("msr_resnet");
    const MsrResnet enlarge(network, {.filters = 8, .blocks = 1, .scale = 4});
    const Value made = enlarge(p, run.bind_weights(network), run.input({2, 6, 6, 3}));
    return run.read({made}, ops::mean(p, ops::multiply(p, made, made)));
  });
}

TEST(ModelsInBf16, UnetIsNearF32) {
  expect_bf16_near_f32([](TypedRun& run) {
    Program& p = run.program();
    Parameters& network = run.add_network("unet");
    const Unet unet(network, {.height = 16, .width = 16, .filters = 8, .levels = 3});
    const Value made = unet(p, run.bind_weights(network), run.input({4, 16, 16, 3}));
    return run.read({made}, ops::mean(p, ops::multiply(p, made, made)));
  });
}

TEST(ModelsInBf16, PatchDiscriminatorIsNearF32) {
  for (const bool is_normalized : {false, true}) {
    expect_bf16_near_f32([&](TypedRun& run) {
      Program& p = run.program();
      Parameters& network = run.add_network("discriminator");
      const PatchDiscriminator discriminator(network, {.filters = 8, .halvings = 2, .is_normalized = is_normalized});
      const Value pictures = run.input({4, 24, 24, 3});
      const Value logits = discriminator(p, run.bind_weights(network), pictures);
      const Value penalty = ops::mean(p, squared_gradient_norms(p, logits, pictures));
      return run.read({logits}, ops::add(p, ops::mean(p, ops::multiply(p, logits, logits)), penalty));
    });
  }
}

}  // namespace
}  // namespace duel::test
