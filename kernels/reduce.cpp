#include "kernels/reduce.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(reduce_sum, const Reduce&, View x, View y);
DUEL_BACKENDS(broadcast, const Reduce&, View x, View y);

namespace {

// The sums' shape, where `large` has it.
Shape checked_output(const char* op, const char* name, const Reduce& p, View large) {
  check_float(op, name, large);
  check(p.axes != Axes::each_row_and_column || large.shape.rank() >= 2, "{}: {} is {}, which has no rows and columns",
        op, name, large);
  return reduce_output(p.axes, large.shape);
}

}  // namespace

void reduce_sum(Context& context, const Reduce& p, View x, View y) {
  check_f32("reduce_sum", "y", y, checked_output("reduce_sum", "x", p, x));
  context.run([&](auto& backend) { reduce_sum(backend, p, x, y); });
}

void broadcast(Context& context, const Reduce& p, View x, View y) {
  check_f32("broadcast", "x", x, checked_output("broadcast", "y", p, y));
  context.run([&](auto& backend) { broadcast(backend, p, x, y); });
}

Shape reduce_output(Axes axes, const Shape& x) {
  switch (axes) {
    case Axes::all: return {1};
    case Axes::each_row: return {x[0]};
    case Axes::each_column: return {x.back()};
    case Axes::each_row_and_column:
      check(x.rank() >= 2, "reduce_output: an array of shape {} has no rows and columns", x);
      return {x[0], x.back()};
  }
  throw Error(Error::Kind::internal, "reduce_output: unknown group of axes");
}

const char* name_of(Axes axes) {
  switch (axes) {
    case Axes::all: return "all";
    case Axes::each_row: return "each_row";
    case Axes::each_column: return "each_column";
    case Axes::each_row_and_column: return "each_row_and_column";
  }
  throw Error(Error::Kind::internal, "name_of: unknown group of axes");
}

}  // namespace duel
