#include "host/train/trainable.h"

#include "host/device/device.h"
#include "host/train/memory_check.h"
#include "kernels/check.h"

#include <optional>
#include <string>
#include <utility>

namespace duel {

namespace {

void check_precision(Context& context, const Options& options) {
  if (options.precision == "bf16" && !context.supports_bf16()) {
    throw_error(
        Error::Kind::device,
        "precision bf16 needs a CPU with AVX512-BF16, or a GPU of compute capability 8.0 or later; {} is neither; "
        "use fp32",
        context.name());
  }
  if (options.precision == "tf32" && !context.supports_tf32()) {
    throw_error(Error::Kind::device,
                "precision tf32 needs a GPU of compute capability 8.0 or later, for products in TF32; {} is none; use "
                "fp32",
                context.name());
  }
}

}  // namespace

TrainingPlan plan_trainable(Context& context, const Options& options, const Data& data, const Recording& how) {
  return plan_trainable(context, options, data, memory_for_training(context), how);
}

TrainingPlan plan_trainable(Context& context, const Options& options, const Data& data,
                            const std::optional<FreeMemory>& free, const Recording& how) {
  check_precision(context, options);
  const LaneRequest lanes = lane_request(context, options);
  const std::string& residency = options.schedule.residency;
  TrainingPlan plan = plan_training(options, data, residency == "stream", lanes, how);
  if (!free) {
    return plan;
  }
  if (residency == "auto" && !fits_memory(context, options, plan, *free)) {
    TrainingPlan streamed = plan_training(options, data, true, lanes, how);
    if (streamed.memory.required() < plan.memory.required()) {
      plan = std::move(streamed);
    }
  }
  if (options.schedule.memory != "ignore") {
    check_memory(context, options, data, plan, *free);
  }
  return plan;
}

}  // namespace duel
