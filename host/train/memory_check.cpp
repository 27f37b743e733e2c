#include "host/train/memory_check.h"

#include "host/device/device.h"
#include "host/recipes/registry.h"
#include "host/run/checkpoint.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"

#include <algorithm>
#include <string>

namespace duel {

namespace {

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 0x1p20;
}

// Left free: captured steps, and kernels that the driver loads when they are first run, take memory later.
constexpr std::size_t kSpareBytes = std::size_t{64} << 20;

// Of a CPU's memory beside all that is planned: primitives and their scratch, threads, files that are written.
constexpr std::size_t kHostBytes = std::size_t{64} << 20;

// What training takes where device and host are one, beside MemoryUse::required(): the copy of the state that
// checkpoints are written from (there is one at the end), and the sample sheets with theirs.
std::size_t host_bytes(const Options& options, const TrainingPlan& plan) {
  std::size_t pictures = 0;
  if (const Sampling sampling = plan.recipe->sampling(); draws_pictures(sampling)) {
    pictures = sizeof(float) * static_cast<std::size_t>(sampling.outputs[0].shape.count());
    pictures *= plan.recipe->reconstruction() ? 2 : 1;
  }
  if (const std::optional<Sampling> translation = plan.recipe->translation()) {
    pictures = sizeof(float) * static_cast<std::size_t>(translation->outputs[0].shape.count());
  }
  return kHostBytes + checkpoint_bytes(plan.networks, plan.step.state) +
         4 * pictures * options.output.sample_rows * options.output.sample_columns;
}

bool is_host(Context& context) {
  return !context.free_bytes().has_value();
}

std::size_t bytes_beside(Context& context, const Options& options, const TrainingPlan& plan) {
  return is_host(context) ? host_bytes(options, plan) : 0;
}

std::size_t room_for_plan(Context& context, const Options& options, const TrainingPlan& plan, const FreeMemory& free) {
  return free.bytes - std::min(bytes_beside(context, options, plan), free.bytes);
}

// By whichever residency the options allow that takes least. Every batch is planned anew: what arrays can share depends
// on their sizes, so no bound would be exact. It is done only where a training does not fit.
std::size_t least_bytes(const Options& options, const Data& data, const LaneRequest& lanes) {
  const std::string& residency = options.schedule.residency;
  const std::size_t asked = plan_training(options, data, residency == "stream", lanes).memory.required();
  if (residency != "auto") {
    return asked;
  }
  return std::min(asked, plan_training(options, data, true, lanes).memory.required());
}

// The largest batch below options.train.batch that takes at most `bytes`; 0 where not even one picture does.
int largest_batch(Options options, const Data& data, const LaneRequest& lanes, std::size_t bytes) {
  int fits = 0, too_many = options.train.batch;
  while (too_many - fits > 1) {
    options.train.batch = fits + (too_many - fits) / 2;
    (least_bytes(options, data, lanes) <= bytes ? fits : too_many) = options.train.batch;
  }
  return fits;
}

}  // namespace

bool fits_snapshot(Context& context, std::size_t bytes) {
  const std::optional<std::size_t> free_bytes = context.free_bytes();
  return free_bytes && bytes + kSpareBytes <= *free_bytes;
}

std::optional<FreeMemory> memory_for_training(Context& context) {
  if (const std::optional<std::size_t> free_bytes = context.free_bytes()) {
    return FreeMemory{*free_bytes, ""};
  }
  return free_memory();
}

bool fits_memory(Context& context, const Options& options, const TrainingPlan& plan, const FreeMemory& free) {
  return plan.memory.required() <= room_for_plan(context, options, plan, free);
}

void check_memory(Context& context, const Options& options, const Data& data, const TrainingPlan& plan,
                  const FreeMemory& free) {
  const bool is_cpu = is_host(context);
  const LaneRequest lanes = lane_request(context, options);
  const MemoryUse& use = plan.memory;
  const std::size_t beside = bytes_beside(context, options, plan), room = room_for_plan(context, options, plan, free);
  if (use.required() <= room) {
    return;
  }
  // What is free of a machine's memory is a little less or more the next time, and what is named must fit then.
  const std::size_t change = is_cpu ? std::min(std::max(kHostBytes / 4, room / 50), room) : 0;
  const int batch = largest_batch(options, data, lanes, room - change);
  std::string what_fits = batch > 0 ? fmt::format("--batch {} would fit", batch)
                          : is_cpu  ? "no batch would fit"
                                    : "no batch would fit; use --device cpu";
  // Operators that run side by side need their arrays at the same time.
  if (lanes.lanes > 1 && least_bytes(options, data, 1) <= room) {
    what_fits = batch > 0 ? fmt::format("--batch {} or --lanes 1 would fit", batch) : "--lanes 1 would fit";
  }
  if (is_cpu) {
    what_fits += " (--set schedule.memory=ignore tries it all the same)";
  }
  throw_error(Error::Kind::device,
              "{}: training at batch {} needs {:.1f} MiB of {}memory (parameters and optimiser {:.1f}, "
              "pictures {}{:.1f}, activations {:.1f}{}), but {:.1f} MiB are free{}{}; {}",
              context.name(), options.train.batch, mebibytes(use.required() + beside), is_cpu ? "" : "the device's ",
              mebibytes(use.parameters), plan.batches.is_streamed() ? "streamed " : "", mebibytes(use.pictures),
              mebibytes(use.arena), is_cpu ? fmt::format(", the rest {:.1f}", mebibytes(beside)) : "",
              mebibytes(free.bytes), free.where.empty() ? "" : " ", free.where, what_fits);
}

}  // namespace duel
