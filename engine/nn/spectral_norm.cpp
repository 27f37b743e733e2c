#include "engine/nn/spectral_norm.h"

#include "engine/ops/ops.h"

namespace duel {

namespace {

// f32 [N,1] over its length.
Value normalized(Program& program, Value x) {
  // 1e-24 keeps a vector of zeros from being divided by zero, and is far below the square of any other.
  const Value squares = ops::reduce_sum(program, {Axes::all, 1.0F}, ops::multiply(program, x, x));
  const Value length = ops::unary(program, UnaryKind::square_root, ops::affine(program, squares, 1.0, 1e-24));
  const Value inverse = ops::unary(program, UnaryKind::reciprocal, length);
  return ops::multiply(program, x,
                       ops::broadcast(program, {Axes::all, 1.0F}, inverse, program.shape(x), program.dtype(x)));
}

Value dot(Program& program, Value a, Value b) {
  return ops::reduce_sum(program, {Axes::all, 1.0F}, ops::multiply(program, a, b));
}

}  // namespace

Value normalize_spectrally(const Pass& pass, const std::string& name, Value weight) {
  Program& program = pass.program;
  const Program::Scope scope(program, name + "/spectral_norm");
  const Shape shape = program.shape(weight);
  const DType dtype = program.dtype(weight);
  const Value kept = pass.state(name + "/u", {shape[0]}, 1.0);
  // A copy: the state changes before derivatives are taken.
  Value u = normalized(program, ops::stop_gradient(program, program.reshape(kept, {shape[0], 1})));
  const auto times = [&](bool transposed, Value vector) {
    return ops::matmul(program, {transposed, false, {}}, weight, ops::cast(program, vector, dtype), DType::f32);
  };
  const Value v = ops::stop_gradient(program, normalized(program, times(true, u)));
  const Value product = times(false, v);
  if (pass.training) {
    u = ops::stop_gradient(program, normalized(program, product));
    ops::write_to(program, ops::copy(program, program.reshape(u, {shape[0]})), kept);
  }
  const Value inverse = ops::unary(program, UnaryKind::reciprocal, dot(program, u, product));
  const Value scale = ops::broadcast(program, {Axes::all, 1.0F}, inverse, shape, DType::f32);
  return ops::cast(program, ops::multiply(program, ops::cast(program, weight, DType::f32), scale), dtype);
}

}  // namespace duel
