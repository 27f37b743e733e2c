#include "kernels/columns.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value concat_columns(Program& program, Value a, Value b) {
  const int first = program.shape(a).back(), second = program.shape(b).back();
  Node node;
  node.op = "concat_columns";
  node.inputs = {a, b};
  node.run = [](Context& c, Views in, Views out) { duel::concat_columns(c, in[0], in[1], out[0]); };
  node.derive = [first, second](Backward& back) {
    if (back.wants(0)) {
      back.set(0, slice_columns(back.program(), back.gradient(), 0, first));
    }
    if (back.wants(1)) {
      back.set(1, slice_columns(back.program(), back.gradient(), first, second));
    }
  };
  node.onnx = [is_picture = program.shape(a).rank() == 4] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    form.add("Concat", {OnnxOperand::input(0), OnnxOperand::input(1)}, {{"axis", is_picture ? 1 : -1}});
    return form;
  };
  return program.record(std::move(node), program.shape(a).with_columns(first + second), program.dtype(a));
}

Value slice_columns(Program& program, Value x, int begin, int count) {
  const int columns = program.shape(x).back();
  Node node;
  node.op = "slice_columns";
  node.parameters = begin;
  node.attributes = {{"begin", begin}};
  node.inputs = {x};
  node.run = [begin](Context& c, Views in, Views out) { duel::slice_columns(c, begin, in[0], out[0]); };
  node.derive = [begin, columns](Backward& back) {
    back.set(0, pad_columns(back.program(), back.gradient(), begin, columns));
  };
  node.onnx = [begin, count, is_picture = program.shape(x).rank() == 4] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    form.add("Slice", {OnnxOperand::input(0), OnnxOperand::list({begin}), OnnxOperand::list({begin + count}),
                       OnnxOperand::list({is_picture ? 1 : -1})});
    return form;
  };
  const View y{nullptr, program.shape(x).with_columns(count), program.dtype(x)};
  node.bytes = 2 * bytes_of({y});
  return program.record(std::move(node), y.shape, y.dtype);
}

Value pad_columns(Program& program, Value x, int begin, int count) {
  const int columns = program.shape(x).back();
  Node node;
  node.op = "pad_columns";
  node.parameters = begin;
  node.attributes = {{"begin", begin}};
  node.inputs = {x};
  node.run = [begin](Context& c, Views in, Views out) { duel::pad_columns(c, begin, in[0], out[0]); };
  node.derive = [begin, columns](Backward& back) {
    back.set(0, slice_columns(back.program(), back.gradient(), begin, columns));
  };
  return program.record(std::move(node), program.shape(x).with_columns(count), program.dtype(x));
}

}  // namespace duel::ops
