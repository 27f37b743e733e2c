// Reference of kernels/small_program.h: the same list, each instruction by its operator's reference.
#pragma once

#include "kernels/small_program.h"
#include "tests/reference/bias_act.h"
#include "tests/reference/elementwise.h"
#include "tests/reference/optimizer.h"
#include "tests/reference/reduce.h"
#include "tests/reference/rows.h"
#include "tests/reference/scale_scheduled.h"
#include "tests/reference/step_state.h"

#include <map>
#include <vector>

namespace duel::test::reference {

// What an instruction makes of its operands. `y`: what it holds before.
inline Array small_result(const SmallInstruction& i, const Shape& x_shape, const Shape& y_shape, const Array& x,
                          const Array& b, Array y) {
  switch (i.op) {
    case SmallOp::fill: return fill(i.scalar, y_shape.count());
    case SmallOp::cast: return x;
    case SmallOp::add: return add(x, b);
    case SmallOp::multiply: return multiply(x, b);
    case SmallOp::affine: return affine(static_cast<double>(i.scale), static_cast<double>(i.shift), x);
    case SmallOp::unary: return unary(i.unary, x);
    case SmallOp::clamp: return clamp(static_cast<double>(i.scale), static_cast<double>(i.shift), x);
    case SmallOp::bias_act: return bias_act_forward(i.activation, x, b, x_shape.back());
    case SmallOp::activation_backward: return activation_backward(i.activation, x, b);
    case SmallOp::reduce_sum: return reduce_sum({i.axes, i.scale}, x_shape, x);
    case SmallOp::broadcast: return broadcast({i.axes, i.scale}, y_shape, x);
    case SmallOp::concat_rows: return concat_rows(x, b);
    case SmallOp::slice_rows: return slice_rows(i.index, y_shape[0], y_shape.row_count(), x);
    case SmallOp::pad_rows: return pad_rows(i.index, y_shape[0], y_shape.row_count(), x);
    case SmallOp::scale_scheduled: return scale_scheduled(i.schedule, b[0], x);
    case SmallOp::clip_scale: return {clip_scale(i.scalar, x[0])};
    case SmallOp::store_scalar:
      store_scalar(i.index, x[0], static_cast<std::int64_t>(b[0]), y_shape[0], y_shape[1], y);
      return y;
    case SmallOp::advance_counter: advance_counter(y); return y;
  }
  return {};
}

inline void small_program(const SmallProgram& program, const std::vector<Array>& inputs, std::vector<Array>& outputs) {
  std::map<int, Array> locals;  // by offset
  const auto array = [&](int number) -> Array {
    if (number < 0) {
      return {};
    }
    const SmallArray& of = program.arrays[at(number)];
    return of.place == SmallArray::Place::local   ? locals[of.index]
           : of.place == SmallArray::Place::input ? inputs[at(of.index)]
                                                  : outputs[at(of.index)];
  };
  const auto shape = [&](int number) { return number < 0 ? Shape{} : program.arrays[at(number)].shape; };
  for (const SmallInstruction& i : program.instructions) {
    const SmallArray& y = program.arrays[at(i.y)];
    Array result = small_result(i, shape(i.x), y.shape, array(i.x), array(i.b), array(i.y));
    (y.place == SmallArray::Place::local ? locals[y.index] : outputs[at(y.index)]) = std::move(result);
  }
}

}  // namespace duel::test::reference
