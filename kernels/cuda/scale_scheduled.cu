// An array times a number that follows from the step (contract: kernels/scale_scheduled.h): a map (pointwise.cuh).
#include "kernels/scale_scheduled.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- device helpers

namespace {

struct ScheduledScale {
  struct Scale {
    float value;
    __device__ float operator()(float x) const { return value * x; }
  };
  Schedule scale;
  __device__ Scale at(std::int64_t step) const { return {static_cast<float>(value_at(scale, step))}; }
};

}  // namespace

// ---- launchers

void scale_scheduled(CudaContext& context, const Schedule& scale, View step, View x, View y) {
  map_at_step(context, "scale_scheduled", ScheduledScale{scale}, step.as<const std::int64_t>(), y.as<float>(),
              y.count(), x.as<const float>());
}

}  // namespace duel
