#include "engine/models/sagan.h"

#include "engine/nn/spectral_norm.h"
#include "engine/ops/ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace duel {

namespace {

constexpr int kLeastFilters = 8;       // attention has an eighth of them
constexpr int kLargestAttention = 32;  // pixels of the shorter side

const Activation kRelu{ActivationKind::relu}, kLeaky{ActivationKind::leaky_relu, 0.1F};

LayerForm before_norm() {
  return {{}, glorot_and_zeros, false};
}

}  // namespace

std::vector<SaganGenerator::Up> SaganGenerator::make_ups(Parameters& parameters, const SaganConfig& config) const {
  const int shorter = std::min(config.height, config.width);
  int largest = 1;  // the least i that attends
  while ((shorter >> largest) > kLargestAttention) {
    ++largest;
  }
  std::vector<Up> ups;
  for (int i = halvings_.count() - 1; i >= 1; --i) {
    const std::string name = fmt::format("up{}", ups.size() + 1);
    const int filters = halvings_.channels(i);
    Up& up = ups.emplace_back(Up{{parameters, name, kHalving, halvings_.channels(i + 1), filters, 4, before_norm()},
                                 {parameters, name + "/norm", filters, kRelu},
                                 std::nullopt});
    if (i == largest || i == largest + 1) {
      up.attention.emplace(parameters, name + "/attention", filters, glorot_and_zeros);
    }
  }
  return ups;
}

SaganGenerator::SaganGenerator(Parameters& parameters, const SaganConfig& config)
    : halvings_("sagan", config, kLeastFilters),
      classes_(parameters, config.classes, config.latent),
      dense_(parameters, "dense", classes_.columns(), halvings_.numbers(), before_norm()),
      norm_(parameters, "dense/norm", halvings_.channels(), kRelu),
      ups_(make_ups(parameters, config)),
      last_(parameters, "last", kHalving, config.filters, config.channels, 4,
            {{ActivationKind::tanh}, glorot_and_zeros}) {}

Value SaganGenerator::operator()(const Pass& pass, Value z, Value classes) const {
  Program& program = pass.program;
  const Program::Scope scope(program, "generator");
  const auto normed = [&](const BatchNormalization& norm, Value x) {
    return norm(program, pass.weights, pass.state, pass.training, x);
  };
  const Value inputs = classes_(program, pass.weights, z, classes);
  const Value rows = run_normalized(pass, dense_, inputs, program.dtype(z));
  Value x = normed(norm_, program.reshape(rows, halvings_.pictures(program.shape(z)[0])));
  for (const Up& up : ups_) {
    x = normed(up.norm, run_normalized(pass, up.conv, x));
    x = up.attention ? (*up.attention)(pass, x) : x;
  }
  return run_normalized(pass, last_, x);
}

std::vector<SaganDiscriminator::Down> SaganDiscriminator::make_downs(Parameters& parameters,
                                                                     const SaganConfig& config) const {
  std::vector<Down> downs;
  int channels = config.channels;
  for (int i = 1; i <= halvings_.count(); ++i) {
    const std::string name = fmt::format("conv{}", i);
    const int filters = halvings_.channels(i);
    Down& down = downs.emplace_back(
        Down{{parameters, name, kHalving, channels, filters, 4, {kLeaky, glorot_and_zeros}}, std::nullopt});
    if (i >= halvings_.count() - 1) {
      down.attention.emplace(parameters, name + "/attention", filters, glorot_and_zeros);
    }
    channels = filters;
  }
  return downs;
}

SaganDiscriminator::SaganDiscriminator(Parameters& parameters, const SaganConfig& config)
    : halvings_("sagan", config, kLeastFilters),
      downs_(make_downs(parameters, config)),
      last_(parameters, "last", halvings_.numbers(), 1, {{}, glorot_and_zeros}),
      classes_(parameters, config.classes, halvings_.numbers()) {}

Value SaganDiscriminator::operator()(const Pass& pass, Value pictures, Value classes) const {
  Program& program = pass.program;
  const Program::Scope scope(program, "discriminator");
  Value x = pictures;
  for (const Down& down : downs_) {
    x = run_normalized(pass, down.conv, x);
    x = down.attention ? (*down.attention)(pass, x) : x;
  }
  const Shape& shape = program.shape(x);
  const Value features = program.reshape(x, {shape[0], static_cast<int>(shape.row_count())});
  const Value logits = run_normalized(pass, last_, features, DType::f32);
  return classes_(program, pass.weights, features, logits, classes);
}

}  // namespace duel
