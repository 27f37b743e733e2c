#include "kernels/grid_sample.h"
#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

Node grid_node(const char* op, const GridSample& p, std::vector<Value> inputs) {
  Node node;
  node.op = op;
  node.parameters = p;
  node.attributes = {{"edge", name_of(p.edge)}};
  node.inputs = std::move(inputs);
  return node;
}

}  // namespace

Value grid_sample(Program& program, const GridSample& p, Value x, Value grid) {
  const Shape shape = program.shape(x);
  Node node = grid_node("grid_sample", p, {x, grid});
  node.run = [p](Context& c, Views in, Views out) { duel::grid_sample(c, p, in[0], in[1], out[0]); };
  node.derive = [p, shape](Backward& back) {
    Program& pr = back.program();
    const Value dy = gradient_as(back, 0);
    if (back.wants(0)) {
      back.set(0, grid_sample_backward_input(pr, p, dy, back.input(1), shape));
    }
    if (back.wants(1)) {
      back.set(1, grid_sample_backward_grid(pr, p, dy, back.input(0), back.input(1)));
    }
  };
  node.onnx = [p] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    const OnnxOperand places = form.add("Transpose", {OnnxOperand::input(1)}, {{"perm", std::vector<int>{0, 2, 3, 1}}});
    form.add("GridSample", {OnnxOperand::input(0), places},
             {{"mode", "bilinear"}, {"padding_mode", name_of(p.edge)}, {"align_corners", 0}});
    return form;
  };
  return program.record(std::move(node), grid_sample_output(shape, program.shape(grid)), program.dtype(x));
}

// The sum of u dx is that of grid_sample(u) dy: so it is differentiated as that.
Value grid_sample_backward_input(Program& program, const GridSample& p, Value dy, Value grid, const Shape& x) {
  Node node = grid_node("grid_sample_backward_input", p, {dy, grid});
  node.run = [p](Context& c, Views in, Views out) { duel::grid_sample_backward_input(c, p, in[0], in[1], out[0]); };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    const Value u = gradient_as(back, 0);
    if (back.wants(0)) {
      back.set(0, grid_sample(pr, p, u, back.input(1)));
    }
    if (back.wants(1)) {
      back.set(1, grid_sample_backward_grid(pr, p, back.input(0), u, back.input(1)));
    }
  };
  return program.record(std::move(node), x, program.dtype(dy));
}

Value grid_sample_backward_grid(Program& program, const GridSample& p, Value dy, Value x, Value grid) {
  Node node = grid_node("grid_sample_backward_grid", p, {dy, x, grid});
  node.run = [p](Context& c, Views in, Views out) {
    duel::grid_sample_backward_grid(c, p, in[0], in[1], in[2], out[0]);
  };
  return program.record(std::move(node), program.shape(grid), DType::f32);
}

}  // namespace duel::ops
