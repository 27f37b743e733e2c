#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

Node moving_node(const char* op, const ShiftFlip& p, Value pictures, Value step) {
  Node node;
  node.op = op;
  node.parameters = p;
  node.attributes = attributes_of(p.random);
  node.attributes.push_back({"pixels", p.pixels});
  node.attributes.push_back({"flips", p.flips});
  node.inputs = {pictures, step};
  return node;
}

}  // namespace

Value shift_flip(Program& program, const ShiftFlip& p, Value x, Value step) {
  Node node = moving_node("shift_flip", p, x, step);
  node.attributes.push_back({"edge", p.edge == PictureEdge::border ? "border" : "value"});
  node.run = [p](Context& c, Views in, Views out) { duel::shift_flip(c, p, in[0], in[1], out[0]); };
  if (p.edge == PictureEdge::value) {
    node.derive = [p](Backward& back) {
      back.set(0, shift_flip_backward(back.program(), p, back.gradient(), back.input(1)));
    };
  }
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value shift_flip_backward(Program& program, const ShiftFlip& p, Value dy, Value step) {
  Node node = moving_node("shift_flip_backward", p, dy, step);
  node.run = [p](Context& c, Views in, Views out) { duel::shift_flip_backward(c, p, in[0], in[1], out[0]); };
  node.derive = [p](Backward& back) {
    ShiftFlip without_value = p;
    without_value.value = 0;
    back.set(0, shift_flip(back.program(), without_value, back.gradient(), back.input(1)));
  };
  return program.record(std::move(node), program.shape(dy), program.dtype(dy));
}

}  // namespace duel::ops
