#include "host/recipes/job_map.h"

#include "engine/ops/ops.h"

namespace duel {

namespace {

// f32 [N,count]: rows of the identity.
Value one_hot(Program& program, Value labels, int count) {
  const Value one = ops::fill(program, {1, 1}, DType::f32, 1.0);
  Value identity = ops::pad_columns(program, one, 0, count);
  for (int row = 1; row < count; ++row) {
    identity = ops::concat_rows(program, identity, ops::pad_columns(program, one, row, count));
  }
  return ops::take_rows(program, identity, labels);
}

}  // namespace

Value job_map(Program& program, Value labels, int count, Value like) {
  const Shape shape = program.shape(like);
  return ops::broadcast(program, {Axes::each_row_and_column, 1.0F}, one_hot(program, labels, count),
                        {shape[0], shape[1], shape[2], count}, program.dtype(like));
}

Value is_job(Program& program, Value labels, int count, int job, Value like) {
  const Shape shape = program.shape(like);
  const Value its = ops::slice_columns(program, one_hot(program, labels, count), job, 1);
  return ops::broadcast(program, {Axes::each_row, 1.0F}, program.reshape(its, {shape[0]}), shape, program.dtype(like));
}

}  // namespace duel
