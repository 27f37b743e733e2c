// The plan of a training on a device that is there.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/device/free_memory.h"
#include "host/train/training_plan.h"
#include "kernels/context.h"

#include <optional>

namespace duel {

// Throws where training is impossible: the batch is larger than the data, or the device cannot do the precision or has
// too little memory (memory_check.h). Rows of residency "auto" lie on the device, unless the training fits into its
// memory only if they are streamed.
TrainingPlan plan_trainable(Context& context, const Options& options, const Data& data, const Recording& how = {});
// The same for so much free memory; without, for any.
TrainingPlan plan_trainable(Context& context, const Options& options, const Data& data,
                            const std::optional<FreeMemory>& free, const Recording& how = {});

}  // namespace duel
