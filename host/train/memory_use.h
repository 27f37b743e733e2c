// What a training will take of a device's memory, known before anything is allocated there.
#pragma once

#include "engine/program/lanes.h"
#include "host/config/options.h"
#include "host/data/source.h"
#include "host/device/free_memory.h"
#include "host/recipes/gan.h"
#include "kernels/context.h"
#include "kernels/memory.h"

#include <cstddef>
#include <optional>

namespace duel {

struct MemoryUse {  // bytes on the device
  std::size_t parameters = 0, pictures = 0, arena = 0, arena_unshared = 0, workspace = 0;
  std::size_t snapshot = 0;  // a copy of the state for checkpoints; training goes without one where it does not fit
  std::size_t required() const { return parameters + pictures + arena + workspace; }
  std::size_t total() const { return required() + snapshot; }
};

// Of the copy of the state that lets the steps go on while a checkpoint is downloaded; 0 where no checkpoint is taken
// between two steps.
std::size_t snapshot_bytes(const Options& options, const GanModel& model);

// Whether a device has room for it, behind all that training allocates. A CPU has no use for it: nothing there
// overlaps.
bool fits_snapshot(Context& context, std::size_t bytes);
inline constexpr const char* kNoSnapshotRoom =
    "the device has no room for a copy of the state: steps wait while a checkpoint is downloaded";

// Both phases recorded as training records them, on arrays that do not exist: to be looked at, not run.
class RecordedStep {
public:
  RecordedStep(const Options& options, const Data& dataset);
  const GanPhases& phases() const { return *phases_; }
  const GanModel& model() const { return model_; }

private:
  Context host_;  // where the arrays lie that the programs name
  GanModel model_;
  Buffer pictures_, step_, ring_;
  std::optional<GanPhases> phases_;
};

// Plans both phases for these lanes, for a GPU that need not be there; pictures of residency "auto" are taken to lie
// on the device. The workspace, which only the device knows, stays 0.
MemoryUse plan_memory_use(const Options& options, const Data& dataset, const LaneRequest& lanes);

// Throws kind `device` where the training does not fit into the memory that is free on the context's device, of a CPU
// free_memory(): how much it needs and which batch would fit. Does nothing where options.schedule.memory is "ignore".
void check_memory(Context& context, const Options& options, const Data& dataset);
// The same for so much free memory, whatever the options say.
void check_memory(Context& context, const Options& options, const Data& dataset, const FreeMemory& free);

// Whether the pictures come batch by batch: as options.schedule.residency says, or for "auto" where the training fits
// into the device's memory only so.
bool streams_pictures(Context& context, const Options& options, const Data& dataset);

}  // namespace duel
