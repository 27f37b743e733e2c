#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

#include <numeric>

namespace duel::ops {

namespace {

// Those that are summed over, of an array of `rank` extents.
std::vector<std::int64_t> axes_summed(Axes axes, int rank) {
  const int first = axes == Axes::each_row || axes == Axes::each_row_and_column ? 1 : 0;
  const int behind = axes == Axes::each_column || axes == Axes::each_row_and_column ? rank - 1 : rank;
  std::vector<std::int64_t> list(static_cast<std::size_t>(behind - first));
  std::iota(list.begin(), list.end(), first);
  return list;
}

// Columns are ONNX's channels, but only the last extent for the engine: sums by them take the engine's layout.
OnnxForm form_with(Axes axes) {
  const bool has_columns = axes == Axes::each_column || axes == Axes::each_row_and_column;
  return {has_columns ? OnnxForm::Layout::channels_last : OnnxForm::Layout::any};
}

}  // namespace

Value reduce_sum(Program& program, const Reduce& p, Value x) {
  Node node;
  node.op = "reduce_sum";
  node.parameters = p;
  node.attributes = {{"axes", name_of(p.axes)}, {"scale", p.scale}};
  node.inputs = {x};
  node.run = [p](Context& c, Views in, Views out) { duel::reduce_sum(c, p, in[0], out[0]); };
  node.onnx = [p, rank = program.shape(x).rank()] {
    OnnxForm form = form_with(p.axes);
    const std::vector<std::int64_t> axes = axes_summed(p.axes, rank);
    OnnxOperand sum = OnnxOperand::input(0);
    if (!axes.empty()) {
      sum = form.add("ReduceSum", {sum, OnnxOperand::list(axes)}, {{"keepdims", 0}});
    }
    if (p.axes == Axes::all) {
      sum = form.add("Unsqueeze", {sum, OnnxOperand::list({0})});  // a scalar is [1]
    }
    form.add("Mul", {sum, OnnxOperand::number(p.scale)});
    return form;
  };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    back.set(0, broadcast(pr, p, back.gradient(), pr.shape(back.input(0)), gradient_type(back, 0)));
  };
  return program.record(std::move(node), reduce_output(p.axes, program.shape(x)), DType::f32);
}

Value broadcast(Program& program, const Reduce& p, Value x, const Shape& shape, DType out) {
  Node node;
  node.op = "broadcast";
  node.parameters = p;
  node.attributes = {{"axes", name_of(p.axes)}, {"scale", p.scale}};
  node.inputs = {x};
  node.run = [p](Context& c, Views in, Views o) { duel::broadcast(c, p, in[0], o[0]); };
  node.onnx = [p, rank = shape.rank()] {
    OnnxForm form = form_with(p.axes);
    OnnxOperand values = form.add("Mul", {OnnxOperand::input(0), OnnxOperand::number(p.scale)});
    if (p.axes == Axes::each_row || p.axes == Axes::each_row_and_column) {
      if (const std::vector<std::int64_t> axes = axes_summed(p.axes, rank); !axes.empty()) {
        values = form.add("Unsqueeze", {values, OnnxOperand::list(axes)});
      }
    }
    form.add("Expand", {values, OnnxOperand::extents()});
    return form;
  };
  node.derive = [p](Backward& back) { back.set(0, reduce_sum(back.program(), p, back.gradient())); };
  return program.record(std::move(node), shape, out);
}

Value mean(Program& program, Value x) {
  return reduce_sum(program, {Axes::all, 1.0F / static_cast<float>(program.shape(x).count())}, x);
}

}  // namespace duel::ops
