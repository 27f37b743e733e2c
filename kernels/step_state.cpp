#include "kernels/step_state.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(store_scalars, std::span<const StoredScalar> scalars, View step, View ring);
DUEL_BACKENDS(advance_counter, View step);

void store_scalars(Context& context, std::span<const StoredScalar> scalars, View step, View ring) {
  check_counter("store_scalars", step);
  check(!scalars.empty() && scalars.size() <= kMostStoredScalars, "store_scalars: {} scalars, but must be 1 to {}",
        scalars.size(), kMostStoredScalars);
  for (const auto& [column, scalar] : scalars) {
    check_f32("store_scalars", "a scalar", scalar, Shape{1});
    check(ring.shape.rank() == 2 && ring.dtype == DType::f32 && column >= 0 && column < ring.shape[1],
          "store_scalars: ring is {}, but must be f32[rows,columns] with a column {}", ring, column);
  }
  context.run([&](auto& backend) { store_scalars(backend, scalars, step, ring); });
}

void advance_counter(Context& context, View step) {
  check_counter("advance_counter", step);
  context.run([&](auto& backend) { advance_counter(backend, step); });
}

}  // namespace duel
