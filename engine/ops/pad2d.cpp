#include "kernels/pad2d.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

Node pad_node(const char* op, const Pad2d& p, Value pictures) {
  Node node;
  node.op = op;
  node.parameters = p;
  node.attributes = {{"kind", name_of(p.kind)}, {"margins", std::vector<int>{p.top, p.left, p.bottom, p.right}}};
  node.inputs = {pictures};
  return node;
}

}  // namespace

Value pad2d(Program& program, const Pad2d& p, Value x) {
  const Shape shape = program.shape(x);
  Node node = pad_node("pad2d", p, x);
  node.run = [p](Context& c, Views in, Views out) { duel::pad2d(c, p, in[0], out[0]); };
  node.derive = [p, shape](Backward& back) { back.set(0, pad2d_backward(back.program(), p, back.gradient(), shape)); };
  node.onnx = [p] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    form.add("Pad", {OnnxOperand::input(0), OnnxOperand::list({0, 0, p.top, p.left, 0, 0, p.bottom, p.right})},
             {{"mode", name_of(p.kind)}});
    return form;
  };
  return program.record(std::move(node), pad2d_output(p, shape), program.dtype(x));
}

Value pad2d_backward(Program& program, const Pad2d& p, Value dy, const Shape& x) {
  Node node = pad_node("pad2d_backward", p, dy);
  node.run = [p](Context& c, Views in, Views out) { duel::pad2d_backward(c, p, in[0], out[0]); };
  node.derive = [p](Backward& back) { back.set(0, pad2d(back.program(), p, back.gradient())); };
  return program.record(std::move(node), x, program.dtype(dy));
}

}  // namespace duel::ops
