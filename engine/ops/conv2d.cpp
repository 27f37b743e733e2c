#include "engine/ops/gradients.h"
#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel {

namespace {

// Of the filter's taps along one axis, at all places together: the share that falls on the picture, not on padding.
double share_inside(int extent, int filter, int places, int stride, int pad) {
  int inside = 0;
  for (int p = 0; p < places; ++p) {
    for (int r = 0; r < filter; ++r) {
      const int at = p * stride + r - pad;
      inside += at >= 0 && at < extent ? 1 : 0;
    }
  }
  return static_cast<double>(inside) / (places * filter);
}

// Products beside the direct algorithm's, by the fewest of any kernel here (Lavin & Gray, 2016): F(4x4,3x3), and
// F(4x4,2x2) on each of the four phases of a 4x4 filter at stride 2.
double winograd_share(const Conv2d& p, const Shape& w) {
  if (p.stride == 1 && w[1] == 3 && w[2] == 3) {
    return 36.0 / (16 * 9);
  }
  return p.stride == 2 && w[1] == 4 && w[2] == 4 ? 25.0 / (16 * 4) : 1;
}

// ONNX's order of pads: before both axes, then behind both.
Attributes onnx_attributes(const Conv2d& p) {
  return {{"strides", std::vector<int>{p.stride, p.stride}},
          {"pads", std::vector<int>{p.pad_top, p.pad_left, p.pad_bottom, p.pad_right}},
          {"group", p.groups}};
}

}  // namespace

Attributes attributes_of(const Conv2d& p) {
  Attributes attributes{{"stride", p.stride},
                        {"pad", std::vector<int>{p.pad_top, p.pad_bottom, p.pad_left, p.pad_right}}};
  if (p.groups > 1) {
    attributes.push_back({"groups", p.groups});
  }
  return attributes;
}

Traits conv2d_traits(const Conv2d& p, const Shape& x, const Shape& w, const Shape& y) {
  Traits traits;
  traits.is_product = true;
  traits.inside =
      share_inside(x[1], w[1], y[1], p.stride, p.pad_top) * share_inside(x[2], w[2], y[2], p.stride, p.pad_left);
  traits.winograd_share = winograd_share(p, w);
  return traits;
}

Node conv2d_node(const Program& program, const Conv2d& p, const Activation& act, Value x, Value w, Value bias) {
  Node node;
  node.op = "conv2d_forward";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.attributes.push_back({"activation", to_string(act)});
  node.inputs = {x, w, bias};
  node.prepare = [p, act](Context& c, Views in, Views out) {
    prepare_conv2d_forward(c, p, act, in[0], in[1], in[2], out[0]);
  };
  node.run = [p, act](Context& c, Views in, Views out) { conv2d_forward(c, p, act, in[0], in[1], in[2], out[0]); };
  const View y{nullptr, conv2d_output(p, program.shape(x), program.shape(w)), DType::f32};
  node.flops = conv2d_cost(p, program.described(x), program.described(w), y).flops;
  node.traits = conv2d_traits(p, program.shape(x), program.shape(w), y.shape);
  node.onnx = [p, act] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    add_activation(
        form, act,
        form.add("Conv", {OnnxOperand::input(0), OnnxOperand::filters(1), OnnxOperand::input(2)}, onnx_attributes(p)));
    return form;
  };
  return node;
}

}  // namespace duel

namespace duel::ops {

Value conv2d(Program& program, const Conv2d& p, Value x, Value w) {
  Node node = conv2d_node(program, p, {}, x, w, {});
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      back.set(0, conv2d_backward_input(pr, p, gradient_as(back, 1), back.input(1), pr.shape(back.input(0)),
                                        gradient_type(back, 0)));
    }
    if (back.wants(1)) {
      back.set(1, conv2d_backward_weight(pr, p, back.input(0), gradient_as(back, 0), pr.shape(back.input(1))));
    }
  };
  return program.record(std::move(node), conv2d_output(p, program.shape(x), program.shape(w)), program.dtype(x));
}

Value conv2d_backward_input(Program& program, const Conv2d& p, Value dy, Value w, const Shape& x, DType out) {
  Node node;
  node.op = "conv2d_backward_input";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {dy, w};
  node.prepare = [p](Context& c, Views in, Views o) { duel::prepare_conv2d_backward_input(c, p, in[0], in[1], o[0]); };
  node.run = [p](Context& c, Views in, Views o) { duel::conv2d_backward_input(c, p, in[0], in[1], o[0]); };
  node.flops = conv2d_cost(p, {nullptr, x}, program.described(w), program.described(dy)).flops;
  node.traits = conv2d_traits(p, x, program.shape(w), program.shape(dy));
  const Shape from = program.shape(dy), filter = program.shape(w);
  const std::vector<int> behind = {// what the strides leave over at the end
                                   x[1] - ((from[1] - 1) * p.stride + filter[1] - p.pad_top - p.pad_bottom),
                                   x[2] - ((from[2] - 1) * p.stride + filter[2] - p.pad_left - p.pad_right)};
  node.onnx = [p, behind] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    Attributes attributes = onnx_attributes(p);
    attributes.push_back({"output_padding", behind});
    form.add("ConvTranspose", {OnnxOperand::input(0), OnnxOperand::filters(1)}, std::move(attributes));
    return form;
  };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      back.set(0, conv2d(pr, p, gradient_as(back, 1), back.input(1)));
    }
    if (back.wants(1)) {
      back.set(1, conv2d_backward_weight(pr, p, gradient_as(back, 0), back.input(0), pr.shape(back.input(1))));
    }
  };
  return program.record(std::move(node), x, out);
}

Value conv2d_backward_weight(Program& program, const Conv2d& p, Value x, Value dy, const Shape& w) {
  Node node;
  node.op = "conv2d_backward_weight";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {x, dy};
  node.prepare = [p](Context& c, Views in, Views o) { duel::prepare_conv2d_backward_weight(c, p, in[0], in[1], o[0]); };
  node.run = [p](Context& c, Views in, Views o) { duel::conv2d_backward_weight(c, p, in[0], in[1], o[0]); };
  node.flops = conv2d_cost(p, program.described(x), {nullptr, w}, program.described(dy)).flops;
  node.traits = conv2d_traits(p, program.shape(x), w, program.shape(dy));
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      back.set(0, conv2d_backward_input(pr, p, back.input(1), gradient_as(back, 1), pr.shape(back.input(0)),
                                        gradient_type(back, 0)));
    }
    if (back.wants(1)) {
      back.set(1, conv2d(pr, p, back.input(0), gradient_as(back, 0)));
    }
  };
  return program.record(std::move(node), w, DType::f32);
}

}  // namespace duel::ops
