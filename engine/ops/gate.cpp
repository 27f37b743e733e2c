#include "kernels/gate.h"
#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

namespace duel::ops {

Value gate(Program& program, Value x) {
  const Shape shape = program.shape(x);
  const int half = shape.back() / 2;
  check(shape.back() % 2 == 0, "gate: x is {}, which has no two halves of columns", shape);
  Node node;
  node.op = "gate";
  node.inputs = {x};
  node.run = [](Context& c, Views in, Views out) { duel::gate(c, in[0], out[0]); };
  node.derive = [](Backward& back) { back.set(0, gate_backward(back.program(), gradient_as(back, 0), back.input(0))); };
  node.onnx = [half, axis = shape.rank() == 4 ? 1 : -1] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    const auto part = [&](int begin) {
      return form.add("Slice", {OnnxOperand::input(0), OnnxOperand::list({begin}), OnnxOperand::list({begin + half}),
                                OnnxOperand::list({axis})});
    };
    const OnnxOperand first = part(0), second = part(half);
    form.add("Mul", {first, second});
    return form;
  };
  return program.record(std::move(node), shape.with_columns(half), program.dtype(x));
}

// With u = (v, w) the gradient and x = (a, b): by dy it is v b + w a, by x (w dy, v dy), which is gate_backward of u.
Value gate_backward(Program& program, Value dy, Value x) {
  Node node;
  node.op = "gate_backward";
  node.inputs = {dy, x};
  node.run = [](Context& c, Views in, Views out) { duel::gate_backward(c, in[0], in[1], out[0]); };
  node.derive = [](Backward& back) {
    Program& pr = back.program();
    const Value u = gradient_as(back, 1), in = back.input(1);
    const int half = pr.shape(in).back() / 2;
    if (back.wants(0)) {
      const auto part = [&](Value of, int begin) { return slice_columns(pr, of, begin, half); };
      back.set(0, add(pr, multiply(pr, part(u, 0), part(in, half)), multiply(pr, part(u, half), part(in, 0))));
    }
    if (back.wants(1)) {
      back.set(1, gate_backward(pr, back.input(0), u));
    }
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

}  // namespace duel::ops
