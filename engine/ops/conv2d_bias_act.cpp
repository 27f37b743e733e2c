#include "kernels/conv2d_bias_act.h"
#include "engine/ops/nodes.h"

namespace duel {

Node conv2d_bias_act_backward_node(const Program& program, const Conv2d& conv, const Activation& act, Value x, Value dy,
                                   Value y, const Shape& w) {
  Node node;
  node.op = "conv2d_bias_act_backward";
  node.parameters = conv;
  node.attributes = attributes_of(conv);
  node.attributes.push_back({"activation", to_string(act)});
  node.inputs = {x, dy, y};
  node.prepare = [conv, act](Context& c, Views in, Views out) {
    prepare_conv2d_bias_act_backward(c, conv, act, in[0], in[1], in[2], out[0], out[1], out[2]);
  };
  node.run = [conv, act](Context& c, Views in, Views out) {
    conv2d_bias_act_backward(c, conv, act, in[0], in[1], in[2], out[0], out[1], out[2]);
  };
  node.flops = conv2d_cost(conv, program.described(x), {nullptr, w, DType::f32}, program.described(dy)).flops;
  node.traits = conv2d_traits(conv, program.shape(x), w, program.shape(dy));
  return node;
}

}  // namespace duel
