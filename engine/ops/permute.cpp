#include "engine/ops/ops.h"
#include "kernels/check.h"

namespace duel::ops {

Value permute(Program& program, Value x, const Permute& p) {
  Node node;
  node.op = "permute";
  node.parameters = p;
  node.attributes = {{"order", std::vector<int>(p.order.begin(), p.order.end())}};
  node.inputs = {x};
  node.run = [p](Context& c, Views in, Views out) { duel::permute(c, p, in[0], out[0]); };
  node.derive = [p](Backward& back) { back.set(0, permute(back.program(), back.gradient(), inverse(p))); };
  node.onnx = [p] {
    OnnxForm form{OnnxForm::Layout::channels_last};
    form.add("Transpose", {OnnxOperand::input(0)}, {{"perm", std::vector<int>(p.order.begin(), p.order.end())}});
    return form;
  };
  return program.record(std::move(node), permute_output(p, program.shape(x)), program.dtype(x));
}

// Both are one permutation of the middle axes of [N H, W, r, r C] or [N H, r, W, r C].
namespace {

constexpr Permute kMiddle{{0, 2, 1, 3}};

Node shuffle_node(const char* op, Value x, int factor, const Shape& moved) {
  Node node;
  node.op = op;
  node.parameters = factor;
  node.attributes = {{"factor", factor}};
  node.inputs = {x};
  node.run = [moved, y = permute_output(kMiddle, moved)](Context& c, Views in, Views out) {
    duel::permute(c, kMiddle, {in[0].data, moved, in[0].dtype}, {out[0].data, y, out[0].dtype});
  };
  return node;
}

}  // namespace

Value pixel_shuffle(Program& program, Value x, int factor) {
  const Shape shape = program.shape(x);
  check(shape.rank() == 4 && factor >= 1 && shape[3] % (factor * factor) == 0,
        "pixel_shuffle: x is {}, but must be [N,H,W,{} C]", shape, factor * factor);
  const int rows = shape[0] * shape[1], columns = shape[3] / factor;
  Node node = shuffle_node("pixel_shuffle", x, factor, {rows, shape[2], factor, columns});
  node.derive = [factor](Backward& back) { back.set(0, pixel_unshuffle(back.program(), back.gradient(), factor)); };
  node.onnx = [factor] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    form.add("DepthToSpace", {OnnxOperand::input(0)}, {{"blocksize", factor}, {"mode", "DCR"}});
    return form;
  };
  return program.record(std::move(node), {shape[0], shape[1] * factor, shape[2] * factor, columns / factor},
                        program.dtype(x));
}

Value pixel_unshuffle(Program& program, Value x, int factor) {
  const Shape shape = program.shape(x);
  check(shape.rank() == 4 && factor >= 1 && shape[1] % factor == 0 && shape[2] % factor == 0,
        "pixel_unshuffle: x is {}, but must have a height and a width that {} divides", shape, factor);
  const int width = shape[2] / factor, columns = factor * shape[3];
  Node node = shuffle_node("pixel_unshuffle", x, factor, {shape[0] * shape[1] / factor, factor, width, columns});
  node.derive = [factor](Backward& back) { back.set(0, pixel_shuffle(back.program(), back.gradient(), factor)); };
  node.onnx = [factor] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    form.add("SpaceToDepth", {OnnxOperand::input(0)}, {{"blocksize", factor}});
    return form;
  };
  return program.record(std::move(node), {shape[0], shape[1] / factor, width, columns * factor}, program.dtype(x));
}

}  // namespace duel::ops
