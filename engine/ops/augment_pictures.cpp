#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

Node augmenting_node(const char* op, const AugmentPictures& p, Value pictures, Value draws, Value probability) {
  Node node;
  node.op = op;
  node.parameters = p;
  node.attributes = {{"shift_rows", p.shift_rows}, {"shift_columns", p.shift_columns},
                     {"hole_rows", p.hole_rows},   {"hole_columns", p.hole_columns},
                     {"mirrors", p.mirrors},       {"brightness", p.brightness},
                     {"saturation", p.saturation}, {"contrast", p.contrast}};
  node.inputs = {pictures, draws, probability};
  return node;
}

}  // namespace

Value augment_pictures(Program& program, const AugmentPictures& p, Value x, Value draws, Value probability) {
  Node node = augmenting_node("augment_pictures", p, x, draws, probability);
  node.run = [p](Context& c, Views in, Views out) { duel::augment_pictures(c, p, in[0], in[1], in[2], out[0]); };
  node.derive = [p](Backward& back) {
    back.set(0, augment_pictures_backward(back.program(), p, back.gradient(), back.input(1), back.input(2)));
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value augment_pictures_backward(Program& program, const AugmentPictures& p, Value dy, Value draws, Value probability) {
  Node node = augmenting_node("augment_pictures_backward", p, dy, draws, probability);
  node.run = [p](Context& c, Views in, Views out) {
    duel::augment_pictures_backward(c, p, in[0], in[1], in[2], out[0]);
  };
  node.derive = [p](Backward& back) {
    AugmentPictures linear = p;
    linear.brightness = 0;
    back.set(0, augment_pictures(back.program(), linear, back.gradient(), back.input(1), back.input(2)));
  };
  return program.record(std::move(node), program.shape(dy), program.dtype(dy));
}

}  // namespace duel::ops
