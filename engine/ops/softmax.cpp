#include "kernels/softmax.h"
#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

// For each row of [rows, C] arrays, the sum of a b, spread over the row again.
Value sums_of_products(Program& program, Value a, Value b) {
  const Value sums = reduce_sum(program, {Axes::each_row, 1.0F}, multiply(program, a, b));
  return broadcast(program, {Axes::each_row, 1.0F}, sums, program.shape(a), program.dtype(a));
}

}  // namespace

Value softmax(Program& program, Value x) {
  Node node = pointwise("softmax", {x}, [](Context& c, Views in, Views out) { duel::softmax(c, in[0], out[0]); });
  node.onnx = [] {
    OnnxForm form{OnnxForm::Layout::channels_last};
    form.add("Softmax", {OnnxOperand::input(0)}, {{"axis", -1}});
    return form;
  };
  node.derive = [](Backward& back) {
    Program& pr = back.program();
    back.set(0, softmax_backward(pr, cast(pr, back.gradient(), pr.dtype(back.output())), back.output()));
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

// Linear in dy, by a symmetric matrix. By y, with u the gradient: u (dy - S(dy y)) - dy S(u y), S the sum over a row.
Value softmax_backward(Program& program, Value dy, Value y) {
  Node node = pointwise("softmax_backward", {dy, y},
                        [](Context& c, Views in, Views out) { duel::softmax_backward(c, in[0], in[1], out[0]); });
  node.derive = [](Backward& back) {
    Program& pr = back.program();
    const Shape shape = pr.shape(back.input(1));
    const auto as_rows = [&](Value value) {
      const Value wide = cast(pr, value, DType::f32);
      return pr.reshape(wide, {static_cast<int>(shape.outer_count()), shape.back()});
    };
    const Value u = back.gradient();
    if (back.wants(0)) {
      back.set(0, softmax_backward(pr, cast(pr, u, pr.dtype(back.input(1))), back.input(1)));
    }
    if (back.wants(1)) {
      const Value g = as_rows(back.input(0)), p = as_rows(back.input(1)), by = as_rows(u);
      const Value centred = add(pr, g, affine(pr, sums_of_products(pr, g, p), -1.0));
      const Value second = affine(pr, multiply(pr, g, sums_of_products(pr, by, p)), -1.0);
      back.set(1, pr.reshape(add(pr, multiply(pr, by, centred), second), shape));
    }
  };
  return program.record(std::move(node), program.shape(y), program.dtype(y));
}

}  // namespace duel::ops
