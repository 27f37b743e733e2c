#include "kernels/bias_act.h"
#include "engine/ops/gradients.h"
#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel {

Attributes attributes_of(const Activation& act) {
  return {{"activation", to_string(act)}};
}

void add_activation(OnnxForm& form, const Activation& act, OnnxOperand x) {
  switch (act.kind) {
    case ActivationKind::identity: return;
    case ActivationKind::relu: form.add("Relu", {std::move(x)}); return;
    case ActivationKind::leaky_relu: form.add("LeakyRelu", {std::move(x)}, {{"alpha", act.slope}}); return;
    case ActivationKind::tanh: form.add("Tanh", {std::move(x)}); return;
    case ActivationKind::sigmoid: form.add("Sigmoid", {std::move(x)}); return;
  }
}

Node bias_act_backward_node(const Activation& act, Value dy, Value y) {
  Node node;
  node.op = "bias_act_backward";
  node.parameters = act;
  node.attributes = attributes_of(act);
  node.inputs = {dy, y};
  node.in_place = true;
  node.run = [act](Context& c, Views in, Views out) { bias_act_backward(c, act, in[0], in[1], out[0], out[1]); };
  return node;
}

}  // namespace duel

namespace duel::ops {

Value bias_act(Program& program, const Activation& act, Value x, Value bias) {
  if (act.kind == ActivationKind::identity && !bias.exists()) {
    return x;
  }
  Node node = pointwise("bias_act_forward", {x, bias}, [act](Context& c, Views in, Views out) {
    duel::bias_act_forward(c, act, in[0], in[1], out[0]);
  });
  node.parameters = act;
  node.attributes = attributes_of(act);
  node.onnx = [act, has_bias = bias.exists()] {
    OnnxForm form;
    OnnxOperand sum = OnnxOperand::input(0);
    if (has_bias) {
      sum = form.add("Add", {OnnxOperand::input(0), OnnxOperand::channels(1)});
    }
    add_activation(form, act, std::move(sum));
    return form;
  };
  node.derive = [act](Backward& back) {
    Program& pr = back.program();
    const Value dx =
        act.kind == ActivationKind::identity
            ? back.gradient()
            : activation_backward(pr, act, cast(pr, back.gradient(), pr.dtype(back.output())), back.output());
    back.set(0, dx);
    if (back.wants(1)) {
      back.set(1, reduce_sum(pr, {Axes::each_column, 1.0F}, dx));
    }
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value activation_backward(Program& program, const Activation& act, Value dy, Value y) {
  Node node = pointwise("activation_backward", {dy, y}, [act](Context& c, Views in, Views out) {
    duel::activation_backward(c, act, in[0], in[1], out[0]);
  });
  node.parameters = act;
  node.attributes = attributes_of(act);
  node.derive = [act](Backward& back) {
    Program& pr = back.program();
    const Value g = back.gradient(), dy_in = back.input(0), y_in = back.input(1);
    if (back.wants(0)) {
      back.set(0, activation_backward(pr, act, g, y_in));
    }
    // With respect to y: zero for the piecewise linear ones; tanh -2 y dy, sigmoid (1 - 2 y) dy.
    if (back.wants(1) && (act.kind == ActivationKind::tanh || act.kind == ActivationKind::sigmoid)) {
      const Value slope = affine(pr, y_in, -2.0, act.kind == ActivationKind::sigmoid ? 1.0 : 0.0);
      back.set(1, multiply(pr, multiply(pr, g, dy_in), slope));
    }
  };
  return program.record(std::move(node), program.shape(dy), program.dtype(dy));
}

}  // namespace duel::ops
