#include "engine/nodes.h"

#include "kernels/bias_act.h"
#include "kernels/conv2d_bias_act.h"

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

Node conv2d_bias_act_backward_node(const Program& program, const Conv2d& conv, const Activation& act, Value x, Value dy,
                                   Value y, const Shape& w) {
  Node node;
  node.op = "conv2d_bias_act_backward";
  node.parameters = conv;
  node.inputs = {x, dy, y};
  node.prepare = [conv, act](Context& c, Views in, Views out) {
    prepare_conv2d_bias_act_backward(c, conv, act, in[0], in[1], in[2], out[0], out[1], out[2]);
  };
  node.run = [conv, act](Context& c, Views in, Views out) {
    conv2d_bias_act_backward(c, conv, act, in[0], in[1], in[2], out[0], out[1], out[2]);
  };
  node.flops = conv2d_cost(conv, program.described(x), {nullptr, w, DType::f32}, program.described(dy)).flops;
  return node;
}

Node batch_norm_node(const BatchNorm& p, Value x, Value gamma, Value beta) {
  Node node;
  node.op = "batch_norm_forward";
  node.parameters = p;
  node.inputs = {x, gamma, beta};
  node.in_place = true;
  node.run = [p](Context& c, Views in, Views out) {
    batch_norm_forward(c, p, in[0], in[1], in[2], out[0], out[1], out[2]);
  };
  return node;
}

Node batch_norm_inference_node(const BatchNorm& p, Value x, Value gamma, Value beta, Value mean, Value variance) {
  Node node;
  node.op = "batch_norm_inference";
  node.parameters = p;
  node.inputs = {x, gamma, beta, mean, variance};
  node.in_place = true;
  node.run = [p](Context& c, Views in, Views out) {
    batch_norm_inference(c, p, in[0], in[1], in[2], in[3], in[4], out[0]);
  };
  return node;
}

Node gan_loss_node(const GanLoss& p, Value real, Value fake) {
  Node node;
  node.op = "gan_loss";
  node.parameters = p;
  node.inputs = {needs_reals(p) ? real : Value{}, fake};
  node.run = [p](Context& c, Views in, Views out) {
    gan_loss(c, p, in[0], in[1], out[0], out.size() > 2 ? out[2] : View{}, out[1]);
  };
  return node;
}

Node gan_loss_of_both_node(const GanLoss& p, Value logits) {
  Node node;
  node.op = "gan_loss";
  node.parameters = p;
  node.inputs = {logits};
  node.run = [p](Context& c, Views in, Views out) {
    const auto half = [](View both, int index) {
      const View part{nullptr, both.shape.with_rows(both.shape[0] / 2), both.dtype};
      return View{both.as<std::byte>() + static_cast<std::size_t>(index) * part.bytes(), part.shape, part.dtype};
    };
    gan_loss(c, p, half(in[0], 0), half(in[0], 1), out[0], half(out[1], 0), half(out[1], 1));
  };
  return node;
}

}  // namespace duel
