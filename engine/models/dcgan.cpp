#include "engine/models/dcgan.h"

#include "engine/ops/ops.h"

#include <fmt/format.h>

#include <string>

namespace duel {

namespace {

const Activation kRelu{ActivationKind::relu}, kLeaky{ActivationKind::leaky_relu, 0.2F};
const Initial kFactors = Initial::normal(0.02, 1);

LayerForm without_bias(const Activation& activation = {}) {
  return {activation, small_and_normal, false};
}

}  // namespace

DcganGenerator::Up::Up(Parameters& parameters, const std::string& name, int channels, int filters)
    : conv(parameters, name, kHalving, channels, filters, 4, without_bias()),
      norm(parameters, name + "/norm", filters, kRelu, kFactors) {}

DcganGenerator::DcganGenerator(Parameters& parameters, const DcganConfig& config)
    : halvings_("dcgan", config, 1),
      classes_(parameters, config.classes, config.latent),
      dense_(parameters, "dense", classes_.columns(), halvings_.numbers(), without_bias()),
      norm_(parameters, "dense/norm", halvings_.channels(), kRelu, kFactors),
      ups_([&] {
        std::vector<Up> ups;
        for (int i = halvings_.count() - 1; i >= 1; --i) {
          ups.emplace_back(parameters, fmt::format("up{}", ups.size() + 1), halvings_.channels(i + 1),
                           halvings_.channels(i));
        }
        return ups;
      }()),
      last_(parameters, "last", kHalving, config.filters, config.channels, 4, without_bias({ActivationKind::tanh})) {}

Value DcganGenerator::operator()(const Pass& pass, Value z, Value classes) const {
  Program& program = pass.program;
  const Program::Scope scope(program, "generator");
  const auto normed = [&](const BatchNormalization& norm, Value x) {
    return norm(program, pass.weights, pass.state, pass.training, x);
  };
  const Value rows = dense_(program, pass.weights, classes_(program, pass.weights, z, classes), program.dtype(z));
  Value x = normed(norm_, program.reshape(rows, halvings_.pictures(program.shape(z)[0])));
  for (const Up& up : ups_) {
    x = normed(up.norm, up.conv(program, pass.weights, x));
  }
  return last_(program, pass.weights, x);
}

DcganDiscriminator::Down::Down(Parameters& parameters, const std::string& name, int channels, int filters)
    : conv(parameters, name, kHalving, channels, filters, 4, without_bias()),
      norm(parameters, name + "/norm", filters, kLeaky, kFactors) {}

DcganDiscriminator::DcganDiscriminator(Parameters& parameters, const DcganConfig& config)
    : halvings_("dcgan", config, 1),
      first_(parameters, "conv1", kHalving, config.channels, config.filters, 4, without_bias(kLeaky)),
      downs_([&] {
        std::vector<Down> downs;
        for (int i = 2; i <= halvings_.count(); ++i) {
          downs.emplace_back(parameters, fmt::format("conv{}", i), halvings_.channels(i - 1), halvings_.channels(i));
        }
        return downs;
      }()),
      last_(parameters, "last", halvings_.numbers(), 1, without_bias()),
      classes_(parameters, config.classes, halvings_.numbers()) {}

Value DcganDiscriminator::operator()(const Pass& pass, Value pictures, Value classes) const {
  Program& program = pass.program;
  const Program::Scope scope(program, "discriminator");
  Value x = first_(program, pass.weights, pictures);
  for (const Down& down : downs_) {
    x = down.norm(program, pass.weights, pass.state, pass.training, down.conv(program, pass.weights, x));
  }
  const Shape& shape = program.shape(x);
  const Value features = program.reshape(x, {shape[0], static_cast<int>(shape.row_count())});
  const Value logits = last_(program, pass.weights, features, DType::f32);
  return classes_(program, pass.weights, features, logits, classes);
}

}  // namespace duel
