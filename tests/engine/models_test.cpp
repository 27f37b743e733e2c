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
  const auto [logits, features, maps] = classifier(p, weights, state, true, x);
  EXPECT_EQ(static_cast<int>(maps.size()), config.stages);
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

}  // namespace
}  // namespace duel::test
