#include "kernels/cross_entropy.h"
#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

// exp(x - log_sums): zero where a row's is infinite.
Value softmax_of(Program& program, Value logits, Value log_sums) {
  const Value offsets = broadcast(program, {Axes::each_row, -1.0F}, log_sums, program.shape(logits), DType::f32);
  return unary(program, UnaryKind::exp, add(program, logits, offsets));
}

}  // namespace

CrossEntropyResult softmax_cross_entropy(Program& program, const CrossEntropy& p, Value logits, Value labels) {
  Node node;
  node.op = "softmax_cross_entropy";
  node.parameters = p;
  node.attributes = {{"smoothing", p.smoothing}};
  node.inputs = {logits, labels};
  node.run = [p](Context& c, Views in, Views out) { duel::softmax_cross_entropy(c, p, in[0], in[1], out[0], out[1]); };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    const Value x = back.input(0), log_sums = back.output(1), by_loss = back.gradient(0), by_sums = back.gradient(1);
    Value dx;
    if (by_loss.exists()) {
      const Value gradient = softmax_cross_entropy_backward(pr, p, x, back.input(1), log_sums);
      dx = multiply(pr, gradient, broadcast(pr, {Axes::all, 1.0F}, by_loss, pr.shape(x), DType::f32));
    }
    if (by_sums.exists()) {
      const Value spread = broadcast(pr, {Axes::each_row, 1.0F}, by_sums, pr.shape(x), DType::f32);
      dx = sum_of(pr, dx, multiply(pr, softmax_of(pr, x, log_sums), spread));
    }
    back.set(0, dx);
  };
  node.onnx = [] {  // of the sums alone, which do not depend on labels
    OnnxForm form;
    form.output = 1;
    form.add("ReduceLogSumExp", {OnnxOperand::input(0)}, {{"axes", std::vector<int>{1}}, {"keepdims", 0}});
    return form;
  };
  const CrossEntropyResult result{program.new_value({1}, DType::f32),
                                  program.new_value({program.shape(logits)[0]}, DType::f32)};
  program.record(std::move(node), {result.loss, result.log_sums});
  return result;
}

Value softmax_cross_entropy_backward(Program& program, const CrossEntropy& p, Value logits, Value labels,
                                     Value log_sums) {
  Node node;
  node.op = "softmax_cross_entropy_backward";
  node.parameters = p;
  node.attributes = {{"smoothing", p.smoothing}};
  node.inputs = {logits, labels, log_sums};
  node.in_place = true;
  node.run = [p](Context& c, Views in, Views out) {
    duel::softmax_cross_entropy_backward(c, p, in[0], in[1], in[2], out[0]);
  };
  // The target is a constant: what depends on logits and sums is the softmax, by itself and by minus itself.
  node.derive = [](Backward& back) {
    Program& pr = back.program();
    const Value softmax = softmax_of(pr, back.input(0), back.input(2));
    const double share = 1.0 / pr.shape(back.input(0))[0];
    const Value by_logits = affine(pr, multiply(pr, back.gradient(), softmax), share);
    back.set(0, by_logits);
    if (back.wants(2)) {
      back.set(2, reduce_sum(pr, {Axes::each_row, -1.0F}, by_logits));
    }
  };
  return program.record(std::move(node), program.shape(logits), DType::f32);
}

Value fraction_correct(Program& program, Value logits, Value labels) {
  Node node;
  node.op = "fraction_correct";
  node.inputs = {logits, labels};
  node.constant = true;
  node.run = [](Context& c, Views in, Views out) { duel::fraction_correct(c, in[0], in[1], out[0]); };
  return program.record(std::move(node), {1}, DType::f32);
}

}  // namespace duel::ops
