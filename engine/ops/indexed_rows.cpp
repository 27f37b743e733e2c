#include "kernels/indexed_rows.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value take_rows(Program& program, Value table, Value index) {
  const int rows = program.shape(table)[0], taken = program.shape(index)[0];
  Node node;
  node.op = "take_rows";
  node.inputs = {table, index};
  node.run = [](Context& c, Views in, Views out) { duel::take_rows(c, in[0], in[1], out[0]); };
  node.derive = [rows](Backward& back) {
    back.set(0, scatter_rows(back.program(), back.gradient(), back.input(1), rows));
  };
  node.onnx = [] {
    OnnxForm form{OnnxForm::Layout::channels_last};
    form.add("Gather", {OnnxOperand::input(0), OnnxOperand::input(1)}, {{"axis", 0}});
    return form;
  };
  const View y{nullptr, program.shape(table).with_rows(taken), program.dtype(table)};
  node.bytes = 2 * bytes_of({y}) + bytes_of({program.described(index)});
  return program.record(std::move(node), y.shape, y.dtype);
}

Value scatter_rows(Program& program, Value dy, Value index, int rows) {
  Node node;
  node.op = "scatter_rows";
  node.parameters = rows;
  node.attributes = {{"rows", rows}};
  node.inputs = {dy, index};
  node.run = [](Context& c, Views in, Views out) { duel::scatter_rows(c, in[0], in[1], out[0]); };
  node.derive = [](Backward& back) { back.set(0, take_rows(back.program(), back.gradient(), back.input(1))); };
  return program.record(std::move(node), program.shape(dy).with_rows(rows), DType::f32);
}

}  // namespace duel::ops
