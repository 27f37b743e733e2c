#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel {

Attributes attributes_of(const Random& random) {
  return {{"seed", random.seed}, {"purpose", static_cast<int>(random.purpose)}};
}

}  // namespace duel

namespace duel::ops {

Value random_normal(Program& program, const Random& p, Value step, const Shape& shape) {
  Node node;
  node.op = "random_normal";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.constant = true;
  node.inputs = {step};
  node.run = [p](Context& c, Views in, Views out) { duel::random_normal(c, p, in[0], out[0]); };
  return program.record(std::move(node), shape, DType::f32);
}

Value random_uniform(Program& program, const Random& p, Value step, const Shape& shape) {
  Node node;
  node.op = "random_uniform";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.constant = true;
  node.inputs = {step};
  node.run = [p](Context& c, Views in, Views out) { duel::random_uniform(c, p, in[0], out[0]); };
  return program.record(std::move(node), shape, DType::f32);
}

}  // namespace duel::ops
