#include "engine/nn/layers.h"

#include "engine/ops/ops.h"

namespace duel {

Dense::Dense(Parameters& parameters, const std::string& name, int inputs, int outputs, const Activation& activation)
    : name_(name),
      weight_(parameters.declare(name + "/weight", {inputs, outputs}, {inputs, outputs})),
      bias_(parameters.declare(name + "/bias", {outputs}, {})),
      activation_(activation) {}

Value Dense::operator()(Program& program, const BoundParameters& weights, Value x, DType out) const {
  const Program::Scope scope(program, name_);
  const Value product = ops::matmul(program, {}, x, weights[weight_], out);
  return ops::bias_act(program, activation_, product, weights[bias_]);
}

ConvSame::ConvSame(Parameters& parameters, const std::string& name, int channels, int filters, int kernel,
                   const Activation& activation)
    : name_(name),
      weight_(parameters.declare(name + "/weight", {filters, kernel, kernel, channels},
                                 {kernel * kernel * channels, kernel * kernel * filters})),
      bias_(parameters.declare(name + "/bias", {filters}, {})),
      kernel_(kernel),
      activation_(activation) {}

Value ConvSame::operator()(Program& program, const BoundParameters& weights, Value x) const {
  const Program::Scope scope(program, name_);
  const Value sum = ops::conv2d(program, Conv2d::same(kernel_), x, weights[weight_]);
  return ops::bias_act(program, activation_, sum, weights[bias_]);
}

}  // namespace duel
