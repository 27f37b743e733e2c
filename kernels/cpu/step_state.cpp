#include "kernels/step_state.h"

#include "kernels/cpu/context.h"

namespace duel {

void store_scalars(CpuContext&, std::span<const StoredScalar> scalars, View step, View ring) {
  const std::int64_t row = step.as<std::int64_t>()[0] % ring.shape[0];
  for (const auto& [column, scalar] : scalars) {
    ring.as<float>()[row * ring.shape[1] + column] = scalar.as<float>()[0];
  }
}

void advance_counter(CpuContext&, View step) {
  ++step.as<std::int64_t>()[0];
}

}  // namespace duel
