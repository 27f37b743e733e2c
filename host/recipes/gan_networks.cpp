#include "host/recipes/gan_networks.h"

#include "engine/models/classic.h"
#include "engine/models/conv_steady.h"
#include "engine/models/dcgan.h"
#include "engine/models/residual.h"
#include "engine/models/sagan.h"

#include <span>
#include <string>
#include <vector>

namespace duel {

namespace {

ClassicConfig classic_config(const Options::Model& model, const Shape& picture, int classes) {
  ClassicConfig config;
  config.height = picture[1];
  config.width = picture[2];
  config.channels = picture[3];
  config.latent = model.latent;
  config.classes = classes;
  config.generator_widths = model.generator_widths;
  config.generator_activation = activation_named(model.generator_activation, model.leaky_slope);
  config.discriminator_channels = model.discriminator_channels;
  config.discriminator_kernel = model.discriminator_kernel;
  config.discriminator_widths = model.discriminator_widths;
  config.discriminator_activation = activation_named(model.discriminator_activation, model.leaky_slope);
  return config;
}

ConvSteadyConfig conv_steady_config(const Options::Model& model, const Shape& picture, int classes) {
  ConvSteadyConfig config;
  config.height = picture[1];
  config.width = picture[2];
  config.channels = picture[3];
  config.latent = model.latent;
  config.filters = model.filters;
  config.features = model.features;
  config.classes = classes;
  return config;
}

HalvingConfig halving_config(const Options::Model& model, const Shape& picture, int classes) {
  return {picture[1], picture[2], picture[3], model.latent, model.filters, classes};
}

ResidualConfig residual_config(const Options::Model& model, const Shape& picture, int classes) {
  ResidualConfig config;
  config.height = picture[1];
  config.width = picture[2];
  config.channels = picture[3];
  config.latent = model.latent;
  config.widths = model.widths;
  config.blocks.assign(model.widths.size(), model.blocks);
  config.classes = classes;
  return config;
}

// One of engine/models that takes rows, and their classes where there are some.
template <class Body>
class ClassedNetwork : public Network {
public:
  template <class Config>
  ClassedNetwork(const std::string& name, const Config& config) : Network(name), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return {body_(pass.program, pass.weights, inputs[0], inputs.size() > 1 ? inputs[1] : Value{})};
  }

private:
  Body body_;
};

// One that keeps something beside its weights.
template <class Body>
class StatefulNetwork : public Network {
public:
  template <class Config>
  StatefulNetwork(const std::string& name, const Config& config) : Network(name), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return {body_(pass, inputs[0], inputs.size() > 1 ? inputs[1] : Value{})};
  }
  bool mixes_rows() const override { return Body::kMixesRows; }

private:
  Body body_;
};

}  // namespace

GanNetworks make_gan_networks(const Options::Model& model, const Shape& picture, int classes) {
  if (model.networks == "conv-steady") {
    const ConvSteadyConfig config = conv_steady_config(model, picture, classes);
    return {std::make_unique<ClassedNetwork<ConvSteadyGenerator>>("generator", config),
            std::make_unique<ClassedNetwork<ConvSteadyDiscriminator>>("discriminator", config)};
  }
  if (model.networks == "dcgan") {
    const DcganConfig config = halving_config(model, picture, classes);
    return {std::make_unique<StatefulNetwork<DcganGenerator>>("generator", config),
            std::make_unique<StatefulNetwork<DcganDiscriminator>>("discriminator", config)};
  }
  if (model.networks == "sagan") {
    const SaganConfig config = halving_config(model, picture, classes);
    return {std::make_unique<StatefulNetwork<SaganGenerator>>("generator", config),
            std::make_unique<StatefulNetwork<SaganDiscriminator>>("discriminator", config)};
  }
  if (model.networks == "residual") {
    const ResidualConfig config = residual_config(model, picture, classes);
    return {std::make_unique<ClassedNetwork<ResidualGenerator>>("generator", config),
            std::make_unique<ClassedNetwork<ResidualDiscriminator>>("discriminator", config)};
  }
  const ClassicConfig config = classic_config(model, picture, classes);
  return {make_classic_generator(config), make_classic_discriminator(config)};
}

}  // namespace duel
