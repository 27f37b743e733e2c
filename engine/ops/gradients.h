// What derivative rules and pointwise nodes share.
#pragma once

#include "engine/ops/ops.h"

#include <utility>
#include <vector>

namespace duel::ops {

// The type in which gradients with respect to an input are stored.
inline DType gradient_type(Backward& b, std::size_t index) {
  Program& p = b.program();
  return p.info(p.root(b.input(index))).gradient_dtype;
}

// The gradient in the type of an operand that it is to be multiplied with.
inline Value gradient_as(Backward& b, std::size_t index) {
  return cast(b.program(), b.gradient(), b.program().dtype(b.input(index)));
}

// a + b, either of which may not exist: zero.
inline Value sum_of(Program& program, Value a, Value b) {
  return !a.exists() ? b : !b.exists() ? a : add(program, a, b);
}

// A pointwise node: one shape, may overwrite its first input.
template <class Run>
Node pointwise(const char* op, std::vector<Value> inputs, Run run) {
  Node node;
  node.op = op;
  node.inputs = std::move(inputs);
  node.run = std::move(run);
  node.in_place = true;
  return node;
}

}  // namespace duel::ops
