#include "kernels/step_state.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(store_scalar, int column, View scalar, View step, View ring);
DUEL_BACKENDS(advance_counter, View step);

void store_scalar(Context& context, int column, View scalar, View step, View ring) {
  check_counter("store_scalar", step);
  check_f32("store_scalar", "scalar", scalar, Shape{1});
  check(ring.shape.rank() == 2 && ring.dtype == DType::f32 && column >= 0 && column < ring.shape[1],
        "store_scalar: ring is {}, but must be f32[rows,columns] with a column {}", ring, column);
  context.run([&](auto& backend) { store_scalar(backend, column, scalar, step, ring); });
}

void advance_counter(Context& context, View step) {
  check_counter("advance_counter", step);
  context.run([&](auto& backend) { advance_counter(backend, step); });
}

}  // namespace duel
