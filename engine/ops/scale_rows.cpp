#include "kernels/scale_rows.h"
#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value scale_rows(Program& program, Value scale, Value x, Value addend) {
  Node node = pointwise("scale_rows", {scale, x, addend},
                        [](Context& c, Views in, Views out) { duel::scale_rows(c, in[0], in[1], in[2], out[0]); });
  node.derive = [](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      back.set(0, reduce_sum(pr, {Axes::each_row, 1.0F}, multiply(pr, gradient_as(back, 1), back.input(1))));
    }
    if (back.wants(1)) {
      back.set(1, scale_rows(pr, back.input(0), gradient_as(back, 1)));
    }
    back.set(2, back.gradient());
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

}  // namespace duel::ops
