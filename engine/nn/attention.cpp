#include "engine/nn/attention.h"

#include "engine/nn/spectral_norm.h"
#include "engine/ops/ops.h"

namespace duel {

namespace {

constexpr int kNarrower = 8;  // queries and keys, than the picture

Conv pointwise(Parameters& parameters, const std::string& name, int channels, int filters, Scheme scheme) {
  return {parameters, name, {}, channels, filters, 1, {{}, scheme}};
}

}  // namespace

Attention::Attention(Parameters& parameters, const std::string& name, int channels, Scheme scheme)
    : name_(name),
      query_(pointwise(parameters, name + "/query", channels, channels / kNarrower, scheme)),
      key_(pointwise(parameters, name + "/key", channels, channels / kNarrower, scheme)),
      value_(pointwise(parameters, name + "/value", channels, channels, scheme)),
      gamma_(parameters.declare(name + "/gamma", {1}, Initial::zeros())) {}

Value Attention::operator()(const Pass& pass, Value x) const {
  Program& program = pass.program;
  const Shape shape = program.shape(x);
  const auto rows_of = [&](const Conv& layer) {
    const Value made = run_normalized(pass, layer, x);
    return program.reshape(made, {shape[0], shape[1] * shape[2], program.shape(made).back()});
  };
  const Value query = rows_of(query_), key = rows_of(key_), value = rows_of(value_);
  const Program::Scope scope(program, name_);
  const DType dtype = program.dtype(x);
  const Value shares = ops::softmax(program, ops::batched_matmul(program, {false, true}, query, key, dtype));
  const Value sums = program.reshape(ops::batched_matmul(program, {}, shares, value, dtype), shape);
  const Value gamma = ops::broadcast(program, {Axes::all, 1.0F}, pass.weights[gamma_], shape, dtype);
  return ops::add(program, x, ops::multiply(program, gamma, sums));
}

}  // namespace duel
