// Whether a training fits into the memory that is free, and what would where it does not.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/device/free_memory.h"
#include "host/train/training_plan.h"
#include "kernels/context.h"

#include <cstddef>
#include <optional>

namespace duel {

// What is free for a training on the context's device, of a CPU free_memory(); nothing where that is not known.
std::optional<FreeMemory> memory_for_training(Context& context);

// Whether the training fits into so much.
bool fits_memory(Context& context, const Options& options, const TrainingPlan& plan, const FreeMemory& free);

// Throws kind `device` where the training does not fit into the memory that is so much that is free: how much it
// needs, and which batch would fit.
void check_memory(Context& context, const Options& options, const Data& data, const TrainingPlan& plan,
                  const FreeMemory& free);

// Whether a device has room for a copy of the state that lets the steps go on while a checkpoint is downloaded, behind
// all that training allocates. A CPU has no use for it: nothing there overlaps.
bool fits_snapshot(Context& context, std::size_t bytes);
inline constexpr const char* kNoSnapshotRoom =
    "the device has no room for a copy of the state: steps wait while a checkpoint is downloaded";

}  // namespace duel
