#include "engine/nn/group_normalization.h"

#include "engine/ops/ops.h"

namespace duel {

LayerNormalization::LayerNormalization(Parameters& parameters, const std::string& name, int channels, float epsilon)
    : name_(name),
      gamma_(parameters.declare(name + "/gamma", {channels}, Initial::ones())),
      beta_(parameters.declare(name + "/beta", {channels}, Initial::zeros())),
      epsilon_(epsilon) {}

Value LayerNormalization::operator()(Program& program, const BoundParameters& weights, Value x) const {
  const Program::Scope scope(program, name_);
  const GroupNorm p{.groups = 1, .each_pixel = true, .epsilon = epsilon_};
  return ops::group_norm(program, p, x, weights[gamma_], weights[beta_]).y;
}

InstanceNormalization::InstanceNormalization(Parameters& parameters, const std::string& name, int channels,
                                             const Activation& activation)
    : name_(name),
      gamma_(parameters.declare(name + "/gamma", {channels}, Initial::ones())),
      beta_(parameters.declare(name + "/beta", {channels}, Initial::zeros())),
      activation_(activation) {}

Value InstanceNormalization::operator()(Program& program, const BoundParameters& weights, Value x) const {
  const Program::Scope scope(program, name_);
  const GroupNorm p{.groups = program.shape(x).back()};
  return ops::bias_act(program, activation_, ops::group_norm(program, p, x, weights[gamma_], weights[beta_]).y, {});
}

}  // namespace duel
