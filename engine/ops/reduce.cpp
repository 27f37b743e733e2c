#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value reduce_sum(Program& program, const Reduce& p, Value x) {
  Node node;
  node.op = "reduce_sum";
  node.parameters = p;
  node.attributes = {{"axes", name_of(p.axes)}, {"scale", p.scale}};
  node.inputs = {x};
  node.run = [p](Context& c, Views in, Views out) { duel::reduce_sum(c, p, in[0], out[0]); };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    back.set(0, broadcast(pr, p, back.gradient(), pr.shape(back.input(0)), gradient_type(back, 0)));
  };
  return program.record(std::move(node), reduce_output(p.axes, program.shape(x)), DType::f32);
}

Value broadcast(Program& program, const Reduce& p, Value x, const Shape& shape, DType out) {
  Node node;
  node.op = "broadcast";
  node.parameters = p;
  node.attributes = {{"axes", name_of(p.axes)}, {"scale", p.scale}};
  node.inputs = {x};
  node.run = [p](Context& c, Views in, Views o) { duel::broadcast(c, p, in[0], o[0]); };
  node.derive = [p](Backward& back) { back.set(0, reduce_sum(back.program(), p, back.gradient())); };
  return program.record(std::move(node), shape, out);
}

Value mean(Program& program, Value x) {
  return reduce_sum(program, {Axes::all, 1.0F / static_cast<float>(program.shape(x).count())}, x);
}

}  // namespace duel::ops
