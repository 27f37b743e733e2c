#include "engine/ops/gradients.h"
#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel {

Node matmul_node(const Program& program, const Matmul& p, Value a, Value b, Value bias) {
  Node node;
  node.op = "matmul";
  node.parameters = p;
  node.attributes = {
      {"transpose_a", p.transpose_a}, {"transpose_b", p.transpose_b}, {"activation", to_string(p.activation)}};
  node.inputs = {a, b, bias};
  node.prepare = [p](Context& c, Views in, Views out) { prepare_matmul(c, p, in[0], in[1], in[2], out[0]); };
  node.run = [p](Context& c, Views in, Views out) { matmul(c, p, in[0], in[1], in[2], out[0]); };
  const View y{nullptr, matmul_output(p, program.shape(a), program.shape(b)), DType::f32};
  node.flops = matmul_cost(p, program.described(a), program.described(b), {}, y).flops;
  node.traits.is_product = true;
  node.onnx = [p] {
    OnnxForm form;
    const OnnxOperand weights = p.transpose_b ? OnnxOperand::input(1) : OnnxOperand::turned(1);  // [outputs,inputs]
    add_activation(form, p.activation,
                   form.add("Gemm", {OnnxOperand::input(0), weights, OnnxOperand::input(2)},
                            {{"transA", p.transpose_a ? 1 : 0}, {"transB", 1}}));
    return form;
  };
  return node;
}

}  // namespace duel

namespace duel::ops {

Value matmul(Program& program, const Matmul& p, Value a, Value b, DType out) {
  Node node = matmul_node(program, p, a, b, {});
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      const Value g = gradient_as(back, 1), other = back.input(1);
      const Value da = p.transpose_a ? matmul(pr, {p.transpose_b, true, {}}, other, g, gradient_type(back, 0))
                                     : matmul(pr, {false, !p.transpose_b, {}}, g, other, gradient_type(back, 0));
      back.set(0, da);
    }
    if (back.wants(1)) {
      const Value g = gradient_as(back, 0), other = back.input(0);
      const Value db = p.transpose_b ? matmul(pr, {true, p.transpose_a, {}}, g, other, gradient_type(back, 1))
                                     : matmul(pr, {!p.transpose_a, false, {}}, other, g, gradient_type(back, 1));
      back.set(1, db);
    }
  };
  return program.record(std::move(node), matmul_output(p, program.shape(a), program.shape(b)), out);
}

}  // namespace duel::ops
