#include "engine/nodes.h"

#include "kernels/bias_act.h"

namespace duel {

Node matmul_node(const Program& program, const Matmul& p, Value a, Value b, Value bias) {
  Node node;
  node.op = "matmul";
  node.parameters = p;
  node.inputs = {a, b, bias};
  node.prepare = [p](Context& c, Views in, Views out) { prepare_matmul(c, p, in[0], in[1], in[2], out[0]); };
  node.run = [p](Context& c, Views in, Views out) { matmul(c, p, in[0], in[1], in[2], out[0]); };
  const View y{nullptr, matmul_output(p, program.shape(a), program.shape(b)), DType::f32};
  node.flops = matmul_cost(p, program.described(a), program.described(b), {}, y).flops;
  return node;
}

Node conv2d_node(const Program& program, const Conv2d& p, const Activation& act, Value x, Value w, Value bias) {
  Node node;
  node.op = "conv2d_forward";
  node.parameters = p;
  node.inputs = {x, w, bias};
  node.prepare = [p, act](Context& c, Views in, Views out) {
    prepare_conv2d_forward(c, p, act, in[0], in[1], in[2], out[0]);
  };
  node.run = [p, act](Context& c, Views in, Views out) { conv2d_forward(c, p, act, in[0], in[1], in[2], out[0]); };
  const View y{nullptr, conv2d_output(p, program.shape(x), program.shape(w)), DType::f32};
  node.flops = conv2d_cost(p, program.described(x), program.described(w), y).flops;
  return node;
}

Node bias_act_backward_node(const Activation& act, Value dy, Value y) {
  Node node;
  node.op = "bias_act_backward";
  node.parameters = act;
  node.inputs = {dy, y};
  node.in_place = true;
  node.run = [act](Context& c, Views in, Views out) { bias_act_backward(c, act, in[0], in[1], out[0], out[1]); };
  return node;
}

}  // namespace duel
