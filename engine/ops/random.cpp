#include "engine/ops/ops.h"

namespace duel::ops {

Value random_normal(Program& program, const Random& p, Value step, const Shape& shape) {
  Node node;
  node.op = "random_normal";
  node.constant = true;
  node.inputs = {step};
  node.run = [p](Context& c, Views in, Views out) { duel::random_normal(c, p, in[0], out[0]); };
  return program.record(std::move(node), shape, DType::f32);
}

Value random_uniform(Program& program, const Random& p, Value step, const Shape& shape) {
  Node node;
  node.op = "random_uniform";
  node.constant = true;
  node.inputs = {step};
  node.run = [p](Context& c, Views in, Views out) { duel::random_uniform(c, p, in[0], out[0]); };
  return program.record(std::move(node), shape, DType::f32);
}

}  // namespace duel::ops
