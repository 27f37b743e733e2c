#include "kernels/reduce.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(reduce_sum, const Reduce&, View x, View y);
DUEL_BACKENDS(broadcast, const Reduce&, View x, View y);

void reduce_sum(Context& context, const Reduce& p, View x, View y) {
  check_float("reduce_sum", "x", x);
  check_f32("reduce_sum", "y", y, reduce_output(p.axes, x.shape));
  context.run([&](auto& backend) { reduce_sum(backend, p, x, y); });
}

void broadcast(Context& context, const Reduce& p, View x, View y) {
  check_float("broadcast", "y", y);
  check_f32("broadcast", "x", x, reduce_output(p.axes, y.shape));
  context.run([&](auto& backend) { broadcast(backend, p, x, y); });
}

Shape reduce_output(Axes axes, const Shape& x) {
  switch (axes) {
    case Axes::all: return {1};
    case Axes::each_row: return {x[0]};
    case Axes::each_column: return {x.back()};
  }
  throw Error(Error::Kind::internal, "reduce_output: unknown group of axes");
}

const char* name_of(Axes axes) {
  switch (axes) {
    case Axes::all: return "all";
    case Axes::each_row: return "each_row";
    case Axes::each_column: return "each_column";
  }
  throw Error(Error::Kind::internal, "name_of: unknown group of axes");
}

}  // namespace duel
