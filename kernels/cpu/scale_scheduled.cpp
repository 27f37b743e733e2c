#include "kernels/scale_scheduled.h"

#include "kernels/cpu/pointwise.h"

namespace duel {

void scale_scheduled(CpuContext& context, const Schedule& scale, View step, View x, View y) {
  const auto value = static_cast<float>(value_at(scale, step.as<std::int64_t>()[0]));
  map(context, x.as<float>(), y.as<float>(), x.count(), [value](float element) { return value * element; });
}

}  // namespace duel
