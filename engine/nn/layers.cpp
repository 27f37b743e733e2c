#include "engine/nn/layers.h"

#include "engine/ops/ops.h"

namespace duel {

namespace {

int declare_bias(Parameters& parameters, const std::string& name, int outputs, const LayerForm& form,
                 const Initial& initial) {
  return form.has_bias ? parameters.declare(name + "/bias", {outputs}, initial) : -1;
}

Value finish(Program& program, const BoundParameters& weights, const Activation& activation, int bias, Value sum) {
  return ops::bias_act(program, activation, sum, bias < 0 ? Value{} : weights[bias]);
}

}  // namespace

LayerInitial glorot_and_zeros(int fan_in, int fan_out) {
  return {Initial::glorot(fan_in, fan_out), Initial::zeros()};
}

LayerInitial he_and_zeros(int fan_in, int /*fan_out*/) {
  return {Initial::he(fan_in), Initial::zeros()};
}

LayerInitial as_in_pytorch(int fan_in, int /*fan_out*/) {
  return {Initial::pytorch(fan_in), Initial::pytorch(fan_in)};
}

LayerInitial small_and_normal(int /*fan_in*/, int /*fan_out*/) {
  return {Initial::normal(0.02), Initial::zeros()};
}

Dense::Dense(Parameters& parameters, const std::string& name, int inputs, int outputs, const LayerForm& form)
    : name_(name), activation_(form.activation) {
  const LayerInitial initial = form.scheme(inputs, outputs);
  weight_ = parameters.declare(name + "/weight", {inputs, outputs}, initial.weight);
  bias_ = declare_bias(parameters, name, outputs, form, initial.bias);
}

Value Dense::operator()(Program& program, const BoundParameters& weights, Value x, DType out, Value weight) const {
  const Program::Scope scope(program, name_);
  const Value product = ops::matmul(program, {}, x, weight.exists() ? weight : weights[weight_], out);
  return finish(program, weights, activation_, bias_, product);
}

Conv::Conv(Parameters& parameters, const std::string& name, const Conv2d& conv, int channels, int filters, int kernel,
           const LayerForm& form)
    : name_(name), conv_(conv), activation_(form.activation) {
  const LayerInitial initial = form.scheme(kernel * kernel * channels, kernel * kernel * filters);
  weight_ = parameters.declare(name + "/weight", {filters, kernel, kernel, channels}, initial.weight);
  bias_ = declare_bias(parameters, name, filters, form, initial.bias);
}

Value Conv::operator()(Program& program, const BoundParameters& weights, Value x, Value weight) const {
  const Program::Scope scope(program, name_);
  const Value sum = ops::conv2d(program, conv_, x, weight.exists() ? weight : weights[weight_]);
  return finish(program, weights, activation_, bias_, sum);
}

ConvTransposed::ConvTransposed(Parameters& parameters, const std::string& name, const Conv2d& conv, int channels,
                               int filters, int kernel, const LayerForm& form)
    : name_(name), filters_(filters), kernel_(kernel), conv_(conv), activation_(form.activation) {
  const LayerInitial initial = form.scheme(kernel * kernel * filters, kernel * kernel * channels);
  weight_ = parameters.declare(name + "/weight", {channels, kernel, kernel, filters}, initial.weight);
  bias_ = declare_bias(parameters, name, filters, form, initial.bias);
}

Value ConvTransposed::operator()(Program& program, const BoundParameters& weights, Value x, Value weight) const {
  const Program::Scope scope(program, name_);
  const Shape& from = program.shape(x);
  const auto extent = [&](int input, int before, int behind) {
    return (input - 1) * conv_.stride + kernel_ - before - behind;
  };
  const Shape y{from[0], extent(from[1], conv_.pad_top, conv_.pad_bottom),
                extent(from[2], conv_.pad_left, conv_.pad_right), filters_};
  const Value sum =
      ops::conv2d_backward_input(program, conv_, x, weight.exists() ? weight : weights[weight_], y, program.dtype(x));
  return finish(program, weights, activation_, bias_, sum);
}

Embedding::Embedding(Parameters& parameters, const std::string& name, int classes, int width, const Initial& initial)
    : name_(name), weight_(parameters.declare(name + "/weight", {classes, width}, initial)) {}

Value Embedding::operator()(Program& program, const BoundParameters& weights, Value classes) const {
  const Program::Scope scope(program, name_);
  const Value table = weights[weight_];
  if (program.dtype(classes) == DType::i32) {
    return ops::take_rows(program, table, classes);
  }
  const DType dtype = program.dtype(table);
  return ops::matmul(program, {}, ops::cast(program, classes, dtype), table, dtype);
}

BatchNormalization::BatchNormalization(Parameters& parameters, const std::string& name, int channels,
                                       const Activation& activation, const Initial& gamma)
    : name_(name),
      gamma_(parameters.declare(name + "/gamma", {channels}, gamma)),
      beta_(parameters.declare(name + "/beta", {channels}, Initial::zeros())),
      activation_(activation) {}

Value BatchNormalization::operator()(Program& program, const BoundParameters& weights, const NamedState& state,
                                     bool is_training, Value x) const {
  const Program::Scope scope(program, name_);
  const Shape columns{program.shape(x).back()};
  const Value mean = state(name_ + "/running_mean", columns, 0.0);
  const Value variance = state(name_ + "/running_variance", columns, 1.0);
  if (!is_training) {
    const Value y = ops::batch_norm_inference(program, {}, x, weights[gamma_], weights[beta_], mean, variance);
    return ops::bias_act(program, activation_, y, {});
  }
  const ops::BatchNormed normed = ops::batch_norm(program, {}, x, weights[gamma_], weights[beta_]);
  ops::batch_norm_track(program, {.rows = program.shape(x).outer_count()}, normed.mean, normed.rstd, {mean, variance});
  return ops::bias_act(program, activation_, normed.y, {});
}

}  // namespace duel
