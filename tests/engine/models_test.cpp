// The networks of engine/models against what PyTorch computes of the same weights: outputs, gradients, and gradients of
// gradients (tests/golden/networks/record.py).
#include "engine/models/classifier.h"
#include "engine/models/conv_steady.h"
#include "engine/models/msr_resnet.h"
#include "engine/models/nafnet.h"
#include "engine/models/patch_discriminator.h"
#include "engine/models/place_projector.h"
#include "engine/models/translator.h"
#include "engine/models/unet.h"
#include "engine/models/vae.h"
#include "engine/nn/losses.h"
#include "engine/nn/patch_contrast.h"
#include "engine/rewrite/differentiate.h"
#include "engine/rewrite/fuse.h"
#include "host/files/safetensors.h"
#include "kernels/check.h"
#include "tests/support/paths.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <map>

namespace duel::test {
namespace {

using Block = Parameters::Block;

// A recorded network, its inputs bound, and what comes out compared with the record.
class RecordedNetwork {
public:
  // `bound`: of the deviation in norm.
  explicit RecordedNetwork(const std::string& name, double bound = 2e-5)
      : bound_(bound), file_(std::string(source_folder()) + "/tests/golden/networks/" + name + ".safetensors") {}

  Program& program() { return small_.program; }

  Value input(const std::string& name) { return bind("input/" + name); }
  Value labels(const std::string& name) {
    const std::vector<float> values = read("input/" + name);
    return small_.labels({values.begin(), values.end()});
  }

  // Gives the parameters the recorded weights. `prefix`: "generator/".
  BoundParameters bind_weights(Parameters& parameters, const std::string& prefix) {
    parameters.allocate(small_.context(), {.training = false});
    for (const Parameter& parameter : parameters.list()) {
      const std::vector<float> values = read("weight/" + prefix + parameter.name);
      EXPECT_EQ(static_cast<std::int64_t>(values.size()), parameter.shape.count()) << parameter.name;
      upload<float>(small_.context(), parameters.view(Block::master, parameter), values);
    }
    small_.place(parameters);
    weights_ += parameters.list().size();
    return {program(), parameters, Block::master, false};
  }

  // State by name, as the network asks for it.
  NamedState state() {
    return [this](const std::string& name, const Shape& shape, double initial) {
      Buffer& memory =
          state_.emplace(name, Buffer(small_.context(), static_cast<std::size_t>(shape.count()) * sizeof(float)))
              .first->second;
      const View view = memory.view(shape, DType::f32);
      fill(small_.context(), static_cast<float>(initial), view);
      return small_.place(name, view);
    };
  }

  void expect(const std::string& name, Value value) {
    program().keep(value);
    expected_.emplace_back(name, value);
  }

  void expect_gradients(Value loss, const std::string& prefix, const Parameters& parameters,
                        const BoundParameters& weights) {
    const std::vector<Value> gradients = differentiate(program(), loss, weights.all());
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      expect("gradient/" + prefix + parameters.list()[i].name, gradients[i]);
    }
  }

  // Runs, and compares in the 2-norm. `fused`: as it is trained.
  void run_and_compare(bool fused) {
    std::size_t recorded_weights = 0;
    for (const auto& [name, entry] : file_.entries()) {
      recorded_weights += name.starts_with("weight/") ? 1 : 0;
    }
    EXPECT_EQ(weights_, recorded_weights) << "the record has other parameters";
    if (fused) {
      fuse(program());
    }
    small_.finish();
    small_.run();
    for (const auto& [name, value] : expected_) {
      expect_near(name, small_.read(value));
    }
    for (const auto& [name, memory] : state_) {
      if (file_.contains("state/" + name)) {
        expect_near("state/" + name,
                    download<float>(small_.context(), memory.view({static_cast<int>(memory.bytes() / 4)}, DType::f32)));
      }
    }
  }

private:
  std::vector<float> read(const std::string& name) const {
    const std::vector<std::byte> bytes = file_.read(name);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  Value bind(const std::string& name) {
    Shape shape;
    const std::vector<std::int64_t>& extents = file_.entry(name).shape;
    shape = extents.size() == 2 ? Shape{static_cast<int>(extents[0]), static_cast<int>(extents[1])}
                                : Shape{static_cast<int>(extents[0]), static_cast<int>(extents[1]),
                                        static_cast<int>(extents[2]), static_cast<int>(extents[3])};
    const Value value = small_.input(shape);
    const std::vector<float> values = read(name);
    std::copy(values.begin(), values.end(), small_.data(inputs_++));
    return value;
  }

  void expect_near(const std::string& name, const std::vector<float>& values) const {
    const std::vector<float> expected = read(name);
    ASSERT_EQ(values.size(), expected.size()) << name;
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      difference += std::pow(static_cast<double>(values[i]) - static_cast<double>(expected[i]), 2);
      norm += std::pow(static_cast<double>(expected[i]), 2);
    }
    EXPECT_LT(std::sqrt(difference), bound_ * std::sqrt(norm)) << name;
  }

  double bound_;
  SafetensorsFile file_;
  SmallProgram small_;
  std::map<std::string, Buffer> state_;
  std::vector<std::pair<std::string, Value>> expected_;
  std::size_t inputs_ = 0, weights_ = 0;
};

class Models : public testing::TestWithParam<bool> {};  // fused or not
INSTANTIATE_TEST_SUITE_P(Fused, Models, testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "fused" : "unfused"); });

Value weighted_sum(Program& p, Value values, Value weights) {
  return ops::reduce_sum(p, {Axes::all, 1.0F}, ops::multiply(p, values, weights));
}

void compare_conv_steady(const std::string& name, const ConvSteadyConfig& config, bool fused) {
  RecordedNetwork recorded(name);
  Program& p = recorded.program();
  Parameters g_parameters("generator"), d_parameters("discriminator");
  const ConvSteadyGenerator generator(g_parameters, config);
  const ConvSteadyDiscriminator discriminator(d_parameters, config);
  const Value labels = config.classes > 0 ? recorded.labels("labels") : Value{};

  const BoundParameters g_weights = recorded.bind_weights(g_parameters, "generator/");
  const Value pictures = generator(p, g_weights, recorded.input("z"), labels);
  recorded.expect("output/pictures", pictures);
  recorded.expect_gradients(weighted_sum(p, pictures, recorded.input("by_picture")), "generator/", g_parameters,
                            g_weights);

  const BoundParameters d_weights = recorded.bind_weights(d_parameters, "discriminator/");
  const Value x = recorded.input("pictures"), logits = discriminator(p, d_weights, x, labels);
  recorded.expect("output/logits", logits);
  const Value squared_gradients = squared_gradient_norms(p, logits, x);
  recorded.expect("output/squared_gradients", squared_gradients);
  const Value loss = ops::add(p, weighted_sum(p, logits, recorded.input("by_logit")),
                              ops::reduce_sum(p, {Axes::all, 1.0F}, squared_gradients));
  recorded.expect_gradients(loss, "discriminator/", d_parameters, d_weights);
  recorded.run_and_compare(fused);
}

constexpr ConvSteadyConfig kConvSteady{
    .height = 12, .width = 8, .channels = 3, .latent = 5, .filters = 3, .features = 7};

TEST_P(Models, ConvSteadyComputesWhatPyTorchDoes) {
  ConvSteadyConfig config = kConvSteady;
  config.classes = 3;
  compare_conv_steady("conv_steady", config, GetParam());
}

TEST_P(Models, ConvSteadyWithoutClassesComputesWhatPyTorchDoes) {
  compare_conv_steady("conv_steady_without_classes", kConvSteady, GetParam());
}

TEST_P(Models, ConvSteadyOfLargerPicturesComputesWhatPyTorchDoes) {
  compare_conv_steady(
      "conv_steady_wide",
      {.height = 32, .width = 48, .channels = 3, .latent = 5, .filters = 2, .features = 7, .classes = 2}, GetParam());
  compare_conv_steady("conv_steady_64",
                      {.height = 64, .width = 64, .channels = 1, .latent = 5, .filters = 1, .features = 7}, GetParam());
}

TEST_P(Models, VaeComputesWhatPyTorchDoes) {
  RecordedNetwork recorded("vae");
  Program& p = recorded.program();
  const VaeConfig config{.height = 8, .width = 12, .channels = 2, .latent = 3, .filters = 3};
  Parameters e_parameters("encoder"), d_parameters("decoder");
  const VaeEncoder encoder(e_parameters, config);
  const VaeDecoder decoder(d_parameters, config);
  const BoundParameters e_weights = recorded.bind_weights(e_parameters, "encoder/"),
                        d_weights = recorded.bind_weights(d_parameters, "decoder/");
  const Value x = recorded.input("pictures");
  const Posterior posterior = encoder(p, e_weights, x);
  const Value again = decoder(p, d_weights, sample_posterior(p, posterior, recorded.input("noise")));
  const Value divergence = ops::mean(p, divergence_from_prior(p, posterior));
  const Value reconstruction = optimal_sigma_loss(p, ops::mean(p, squared_errors(p, x, again)), 8 * 12 * 2);
  recorded.expect("output/mean", posterior.mean);
  recorded.expect("output/log_variance", posterior.log_variance);
  recorded.expect("output/reconstructions", again);
  recorded.expect("output/divergence", divergence);
  recorded.expect("output/reconstruction", reconstruction);
  const Value loss = ops::add(p, divergence, reconstruction);
  recorded.expect_gradients(loss, "encoder/", e_parameters, e_weights);
  recorded.expect_gradients(loss, "decoder/", d_parameters, d_weights);
  recorded.run_and_compare(GetParam());
}

void expect_classifier(const std::string& record, const ClassifierConfig& config, bool is_fused) {
  RecordedNetwork recorded(record);
  Program& p = recorded.program();
  Parameters parameters("classifier");
  const Classifier classifier(parameters, config);
  const BoundParameters weights = recorded.bind_weights(parameters, "");
  const Value x = recorded.input("pictures"), labels = recorded.labels("labels");
  std::map<std::string, Value> bound;
  const NamedState allocate = recorded.state();
  const NamedState state = [&](const std::string& name, const Shape& shape, double initial) {
    const auto found = bound.find(name);
    return found != bound.end() ? found->second : bound.emplace(name, allocate(name, shape, initial)).first->second;
  };
  const auto [logits, features] = classifier(p, weights, state, true, x);
  recorded.expect("output/logits", logits);
  recorded.expect("output/features", features);
  const Value loss = ops::softmax_cross_entropy(p, {.smoothing = 0.1F}, logits, labels).loss;
  recorded.expect("output/loss", loss);
  recorded.expect_gradients(loss, "", parameters, weights);
  // Behind the training pass: by the statistics that it left.
  recorded.expect("output/inferred_logits", classifier(p, weights, state, false, x).logits);
  recorded.run_and_compare(is_fused);
}

TEST_P(Models, ClassifierComputesWhatPyTorchDoes) {
  expect_classifier("classifier", {.height = 7, .width = 6, .channels = 2, .classes = 4, .filters = 3, .blocks = 2},
                    GetParam());
  expect_classifier("classifier_halved",
                    {.height = 21,
                     .width = 18,
                     .channels = 3,
                     .classes = 4,
                     .filters = 2,
                     .blocks = 1,
                     .stages = 4,
                     .stem_stride = 2},
                    GetParam());
}

// A network from pictures to pictures: what it makes, and the gradients of the pictures and of the weights.
template <class Model, class Config>
void expect_pictures(const std::string& record, const Config& config, bool is_fused, double bound = 2e-5) {
  RecordedNetwork recorded(record, bound);
  Program& p = recorded.program();
  Parameters parameters("network");
  const Model model(parameters, config);
  const BoundParameters weights = recorded.bind_weights(parameters, "");
  const Value x = recorded.input("pictures"), made = model(p, weights, x);
  recorded.expect("output/pictures", made);
  const Value loss = weighted_sum(p, made, recorded.input("by_output"));
  recorded.expect_gradients(loss, "", parameters, weights);
  recorded.expect("gradient/pictures", differentiate(p, loss, {x})[0]);
  recorded.run_and_compare(is_fused);
}

// Sums cancel in the gradients of its first blocks: PyTorch's own in f32 are up to 6.5e-5 from those in f64 (twelve
// draws of these sizes).
TEST_P(Models, NafnetComputesWhatPyTorchDoes) {
  expect_pictures<Nafnet>("nafnet",
                          NafnetConfig{.height = 8,
                                       .width = 12,
                                       .inputs = 4,
                                       .outputs = 3,
                                       .channels = 3,
                                       .down = {1, 2},
                                       .middle = 1,
                                       .up = {1, 0}},
                          GetParam(), 5e-5);
}

TEST_P(Models, MsrResnetComputesWhatPyTorchDoes) {
  for (const int scale : {2, 3, 4}) {
    expect_pictures<MsrResnet>(fmt::format("msr_resnet_{}", scale),
                               MsrResnetConfig{.channels = 3, .filters = 4, .blocks = 2, .scale = scale}, GetParam());
  }
}

TEST_P(Models, UnetComputesWhatPyTorchDoes) {
  expect_pictures<Unet>(
      "unet", UnetConfig{.height = 8, .width = 16, .inputs = 4, .outputs = 3, .filters = 3, .levels = 3}, GetParam());
}

TEST_P(Models, TranslatorComputesWhatPyTorchDoes) {
  RecordedNetwork recorded("translator");
  Program& p = recorded.program();
  Parameters parameters("generator");
  const Translator translator(parameters, {.height = 8, .width = 12, .filters = 2, .blocks = 3});
  const BoundParameters weights = recorded.bind_weights(parameters, "");
  const Value x = recorded.input("pictures");
  const Translated made = translator(p, weights, x);
  recorded.expect("output/pictures", made.pictures);
  Value loss = weighted_sum(p, made.pictures, recorded.input("by_output"));
  ASSERT_EQ(made.features.size(), 5U);
  for (std::size_t i = 1; i < made.features.size(); ++i) {
    const Value map = made.features[i];
    recorded.expect(fmt::format("output/map{}", i), map);
    loss = ops::add(p, loss, ops::mean(p, ops::multiply(p, map, map)));
  }
  recorded.expect_gradients(loss, "", parameters, weights);
  recorded.expect("gradient/pictures", differentiate(p, loss, {x})[0]);
  recorded.run_and_compare(GetParam());
}

TEST_P(Models, PlacesAreComparedAsInPyTorch) {
  RecordedNetwork recorded("place_contrast");
  Program& p = recorded.program();
  Parameters parameters("projector");
  const PlaceProjector projector(parameters, {.channels = {3}, .width = 5});
  const BoundParameters weights = recorded.bind_weights(parameters, "");
  const PlaceCells cells = cells_of(12, 6, 9);
  const Value given = recorded.input("given"), made = recorded.input("made");
  const Value places = places_in_cells(p, cells, recorded.input("uniform"));
  const auto projected = [&](Value map) { return projector(p, weights, std::vector{features_at(p, map, places)})[0]; };
  const Value keys = ops::stop_gradient(p, projected(given));
  const Value losses = contrast_losses(p, projected(made), keys, cells.count(), 0.3);
  recorded.expect("output/places", places);
  recorded.expect("output/losses", losses);
  const Value loss = weighted_sum(p, losses, p.reshape(recorded.input("by_loss"), p.shape(losses)));
  recorded.expect_gradients(loss, "", parameters, weights);
  recorded.expect("gradient/made", differentiate(p, loss, {made})[0]);
  recorded.run_and_compare(GetParam());
}

void expect_patches(const std::string& record, const PatchDiscriminatorConfig& config, bool is_fused) {
  RecordedNetwork recorded(record);
  Program& p = recorded.program();
  Parameters parameters("discriminator");
  const PatchDiscriminator discriminator(parameters, config);
  const BoundParameters weights = recorded.bind_weights(parameters, "");
  const Value x = recorded.input("pictures"), logits = discriminator(p, weights, x);
  const Value squares = squared_gradient_norms(p, logits, x);
  recorded.expect("output/logits", logits);
  recorded.expect("output/squared_gradients", squares);
  const Value loss =
      ops::add(p, weighted_sum(p, logits, recorded.input("by_logit")), ops::reduce_sum(p, {Axes::all, 1.0F}, squares));
  recorded.expect_gradients(loss, "", parameters, weights);
  recorded.run_and_compare(is_fused);
}

TEST_P(Models, PatchDiscriminatorComputesWhatPyTorchDoes) {
  expect_patches("patch_discriminator", {.height = 25, .width = 16, .channels = 4, .filters = 3, .halvings = 2},
                 GetParam());
}

TEST_P(Models, NormedPatchDiscriminatorComputesWhatPyTorchDoes) {
  expect_patches("patch_discriminator_normed",
                 {.height = 16, .width = 20, .channels = 3, .filters = 4, .halvings = 2, .is_normalized = true},
                 GetParam());
}

TEST_P(Models, OperatorsOfPicturesComputeWhatPyTorchsDo) {
  RecordedNetwork recorded("operators");
  Program& p = recorded.program();
  const Value x = recorded.input("pictures"), grid = recorded.input("grid"), both = recorded.input("affine"),
              by_output = recorded.input("by_output");
  const auto row = [&](int i) { return p.reshape(ops::slice_rows(p, both, i, 1), {6}); };
  const std::map<std::string, Value> made = {{"instance_norm", ops::group_norm(p, {.groups = 6}, x).y},
                                             {"group_norm", ops::group_norm(p, {.groups = 3}, x, row(0), row(1)).y},
                                             {"grid_sample_zeros", ops::grid_sample(p, {GridEdge::zeros}, x, grid)},
                                             {"grid_sample_border", ops::grid_sample(p, {GridEdge::border}, x, grid)}};
  for (const auto& [name, y] : made) {
    recorded.expect("output/" + name, y);
    const Value loss = weighted_sum(p, y, by_output);
    recorded.expect("gradient/" + name + "/pictures", differentiate(p, loss, {x})[0]);
    if (name.starts_with("grid_sample")) {
      recorded.expect("gradient/" + name + "/grid", differentiate(p, loss, {grid})[0]);
    }
  }
  recorded.expect("output/pad2d_reflect", ops::pad2d(p, {PadKind::reflect, 2, 1, 0, 3}, x));
  recorded.expect("output/pad2d_replicate", ops::pad2d(p, {PadKind::edge, 2, 1, 0, 3}, x));
  recorded.run_and_compare(GetParam());
}

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
    const auto [logits, features] = classifier(p, run.bind_weights(c), state, true, pictures);
    const Value labels = run.small().labels({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5});
    const Value loss = ops::softmax_cross_entropy(p, {}, logits, labels).loss;
    return run.read({logits, features, loss}, loss);
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

TEST(ModelSizes, AreThoseOfTheRecipes) {
  Parameters g("generator"), d("discriminator"), c("classifier"), e("encoder"), decoder("decoder");
  const ConvSteadyGenerator generator(g, {.classes = 10});
  const ConvSteadyDiscriminator discriminator(d, {.classes = 10});
  const Classifier classifier(c, {});
  const VaeEncoder vae_encoder(e, {});
  const VaeDecoder vae_decoder(decoder, {});
  EXPECT_EQ(g.parameter_count(), 973953);  // as PyTorch counts those of the networks that they were made after
  EXPECT_EQ(d.parameter_count(), 911585);
  EXPECT_EQ(c.parameter_count(), 272186);
  Parameters repair("nafnet"), enlarge("msr_resnet"), wide("wide");
  const Nafnet nafnet(repair, {});
  const MsrResnet msr_resnet(enlarge, {.scale = 4});
  const Nafnet wide_nafnet(wide, {.channels = 32, .down = {1, 1, 1, 28}, .middle = 1, .up = {1, 1, 1, 1}});
  EXPECT_EQ(wide.parameter_count(), 17111907);    // 17.1 million: Chen et al., table 8
  EXPECT_EQ(enlarge.parameter_count(), 1517571);  // BasicSR's, with F 64 and 16 blocks
  Parameters translate("unet"), judge("patch_discriminator"), normed("normed");
  const Unet unet(translate, {.height = 256, .width = 256, .levels = 8});
  const PatchDiscriminator patches(judge, {.height = 256, .width = 256, .channels = 6});
  const PatchDiscriminator normed_patches(normed, {.channels = 6, .is_normalized = true});
  // Of pytorch-CycleGAN-and-pix2pix's unet_256, whose batch norms have as many parameters, and the biases of e_1 and
  // e_n.
  EXPECT_EQ(translate.parameter_count(), 54413955 + 64 + 512);
  EXPECT_EQ(normed.parameter_count(), 2768705);                   // of its basic discriminator
  EXPECT_EQ(judge.parameter_count(), 2768705 - 256 - 512 - 128);  // with a bias in place of a scale and a shift
  EXPECT_EQ(e.parameter_count() + decoder.parameter_count(), 990249);
}

template <class Call>
void expect_usage_error(const Call& call, const std::string& named) {
  try {
    call();
    ADD_FAILURE() << "not refused: " << named;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
  }
}

TEST(ModelSizes, ThatCannotBeAreRefused) {
  Parameters p("network");
  expect_usage_error([&] { ConvSteadyGenerator(p, {.height = 30}); }, "30x28");
  expect_usage_error([&] { ConvSteadyDiscriminator(p, {.channels = 5}); }, "5 channels");
  expect_usage_error([&] { ConvSteadyDiscriminator(p, {.features = 0}); }, "0 features");
  expect_usage_error([&] { ConvSteadyGenerator(p, {.height = 4092, .width = 4092, .filters = 1024}); }, "4092x4092");
  expect_usage_error([&] { VaeEncoder(p, {.width = 27}); }, "28x27");
  expect_usage_error([&] { VaeDecoder(p, {.latent = 0}); }, "0 latents");
  expect_usage_error([&] { Classifier(p, {.classes = 0}); }, "0 outputs");
  expect_usage_error([&] { Classifier(p, {.stages = 9}); }, "9 stages");
  expect_usage_error([&] { Classifier(p, {.channels = 0}); }, "0 channels");
  expect_usage_error([&] { Nafnet(p, {.height = 60}); }, "60x64");
  expect_usage_error([&] { Nafnet(p, {.up = {1, 1}}); }, "[1,1,2] on the way down, 2 in the middle and [1,1] on");
  expect_usage_error([&] { Nafnet(p, {.inputs = 2}); }, "2 inputs and 3 outputs");
  expect_usage_error([&] { MsrResnet(p, {.scale = 5}); }, "the scale is 5");
  expect_usage_error([&] { MsrResnet(p, {.channels = 5}); }, "5 channels");
  expect_usage_error([&] { Unet(p, {.height = 96}); }, "96x128, but with 7 levels");
  expect_usage_error([&] { Unet(p, {.height = 75, .levels = unet_levels(75, 128)}); }, "75x128 with 0 levels");
  expect_usage_error([&] { Unet(p, {.filters = 0}); }, "0 filters");
  expect_usage_error([&] { PatchDiscriminator(p, {.height = 23}); }, "23x64, but with 3 halvings");
  expect_usage_error([&] { PatchDiscriminator(p, {.width = 20}); }, "at least 24");
  expect_usage_error([&] { PatchDiscriminator(p, {.halvings = 0}); }, "0 halvings");
  expect_usage_error([&] { PatchDiscriminator(p, {.channels = 0}); }, "0 channels");
  EXPECT_EQ(p.parameter_count(), 0);  // before the first layer
}

TEST(Unet, HasAsManyLevelsAsItsPicturesCanBeHalved) {
  EXPECT_EQ(unet_levels(128, 128), 7);
  EXPECT_EQ(unet_levels(96, 64), 5);
  EXPECT_EQ(unet_levels(1024, 1024), 8);
  EXPECT_EQ(unet_levels(75, 64), 0);
}

// A logit sees 70x70 pixels, and pictures beyond its patch change nothing of it.
TEST(Translator, TakesPicturesThatItCanHalveTwice) {
  Parameters p("generator");
  expect_usage_error([&] { Translator(p, {.height = 62}); }, "62x64, but height and width must be multiples of 4");
  expect_usage_error([&] { Translator(p, {.width = 4}); }, "at least 8");
  expect_usage_error([&] { Translator(p, {.channels = 5}); }, "5 channels must be 1 to 4");
  expect_usage_error([&] { Translator(p, {.blocks = 0}); }, "0 blocks at least 1");
  EXPECT_EQ(p.parameter_count(), 0);  // before the first layer
  const Translator whole(p, {});
  EXPECT_EQ(p.parameter_count(), 11378179 - 5248);  // pytorch-CycleGAN-and-pix2pix's, but for biases before a norm
  EXPECT_EQ(feature_channels({}), (std::vector<int>{3, 128, 256, 256, 256}));
  EXPECT_EQ(feature_channels({.blocks = 2}), (std::vector<int>{3, 128, 256, 256}));
}

TEST(PatchContrast, CellsAreNoMoreThanAskedForNorSmallerThanPixels) {
  for (const int places : {1, 2, 7, 64, 255, 256}) {
    for (const int height : {1, 2, 5, 16, 64}) {
      for (const int width : {1, 3, 16, 48}) {
        const PlaceCells cells = cells_of(places, height, width);
        EXPECT_GE(std::min(cells.rows, cells.columns), 1);
        EXPECT_LE(cells.count(), places);
        EXPECT_LE(cells.rows, height);
        EXPECT_LE(cells.columns, width);
      }
    }
  }
  EXPECT_EQ(cells_of(256, 64, 64).rows, 16);
  EXPECT_EQ(cells_of(256, 16, 16).count(), 256);
  EXPECT_EQ(cells_of(256, 8, 8).count(), 64);
}

TEST(PatchDiscriminator, JudgesPartsOfSeventyPixels) {
  SmallProgram s;
  const Value x = s.input({1, 128, 128, 1});
  Parameters parameters("discriminator");
  const PatchDiscriminator discriminator(parameters, {.height = 128, .width = 128, .channels = 1, .filters = 2});
  parameters.allocate(s.context(), {.training = false});
  parameters.initialize(s.context(), 1, 0);
  s.place(parameters);
  const Value logits = discriminator(s.program, {s.program, parameters, Block::master, false}, x);
  ASSERT_EQ(s.program.shape(logits), (Shape{1, 14, 14, 1}));
  Value row = s.program.reshape(logits, {14 * 14, 1});
  row = ops::slice_rows(s.program, row, 7 * 14 + 7, 1);  // one of the middle
  const Value gradient = differentiate(s.program, row, {x})[0];
  s.program.keep(gradient);
  s.finish();
  s.run();
  const std::vector<float> slopes = s.read(gradient);
  int top = 128, bottom = -1, left = 128, right = -1;
  for (int i = 0; i < 128 * 128; ++i) {
    if (slopes[static_cast<std::size_t>(i)] != 0) {
      top = std::min(top, i / 128);
      bottom = std::max(bottom, i / 128);
      left = std::min(left, i % 128);
      right = std::max(right, i % 128);
    }
  }
  EXPECT_EQ(bottom - top + 1, 70);
  EXPECT_EQ(right - left + 1, 70);
}

TEST(ConvSteady, HoldsToItsClasses) {
  SmallProgram s;
  const Value z = s.input({2, 64});
  Parameters g("generator");
  const ConvSteadyGenerator generator(g, {});
  g.allocate(s.context(), {.training = false});
  const BoundParameters weights(s.program, g, Block::master, false);
  EXPECT_THROW(generator(s.program, weights, z, s.labels({1, 2})), Error);
}

}  // namespace
}  // namespace duel::test
