#include "host/recipes/job_map.h"

#include "engine/ops/ops.h"

namespace duel {

Value one_hot_jobs(Program& program, Value labels, int count) {
  const Value one = ops::fill(program, {1, 1}, DType::f32, 1.0);
  Value identity = ops::pad_columns(program, one, 0, count);
  for (int row = 1; row < count; ++row) {
    identity = ops::concat_rows(program, identity, ops::pad_columns(program, one, row, count));
  }
  return ops::take_rows(program, identity, labels);
}

Value job_map(Program& program, Value one_hot, Value like) {
  const Shape shape = program.shape(like);
  return ops::broadcast(program, {Axes::each_row_and_column, 1.0F}, one_hot,
                        {shape[0], shape[1], shape[2], program.shape(one_hot)[1]}, program.dtype(like));
}

Value is_job(Program& program, Value one_hot, int job, Value like) {
  const Shape shape = program.shape(like);
  const Value its = program.reshape(ops::slice_columns(program, one_hot, job, 1), {shape[0]});
  return ops::broadcast(program, {Axes::each_row, 1.0F}, its, shape, program.dtype(like));
}

}  // namespace duel
