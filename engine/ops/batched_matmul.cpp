#include "kernels/batched_matmul.h"
#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value batched_matmul(Program& program, const BatchedMatmul& p, Value a, Value b, DType out) {
  Node node;
  node.op = "batched_matmul";
  node.parameters = p;
  node.attributes = {{"transpose_a", p.transpose_a}, {"transpose_b", p.transpose_b}};
  node.inputs = {a, b};
  node.prepare = [p](Context& c, Views in, Views o) { prepare_batched_matmul(c, p, in[0], in[1], o[0]); };
  node.run = [p](Context& c, Views in, Views o) { duel::batched_matmul(c, p, in[0], in[1], o[0]); };
  const View y{nullptr, batched_matmul_output(p, program.shape(a), program.shape(b)), DType::f32};
  node.flops = batched_matmul_cost(p, program.described(a), program.described(b), y).flops;
  node.traits.is_product = true;
  node.onnx = [p] {
    OnnxForm form;
    const auto operand = [&](std::size_t i, bool is_transposed) {
      const OnnxOperand input = OnnxOperand::input(i);
      return is_transposed ? form.add("Transpose", {input}, {{"perm", std::vector<int>{0, 2, 1}}}) : input;
    };
    const OnnxOperand left = operand(0, p.transpose_a), right = operand(1, p.transpose_b);
    form.add("MatMul", {left, right});
    return form;
  };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      const Value g = gradient_as(back, 1), other = back.input(1);
      back.set(0, p.transpose_a ? batched_matmul(pr, {p.transpose_b, true}, other, g, gradient_type(back, 0))
                                : batched_matmul(pr, {false, !p.transpose_b}, g, other, gradient_type(back, 0)));
    }
    if (back.wants(1)) {
      const Value g = gradient_as(back, 0), other = back.input(0);
      back.set(1, p.transpose_b ? batched_matmul(pr, {true, p.transpose_a}, g, other, gradient_type(back, 1))
                                : batched_matmul(pr, {!p.transpose_a, false}, other, g, gradient_type(back, 1)));
    }
  };
  return program.record(std::move(node), y.shape, out);
}

}  // namespace duel::ops
