#include "host/train/memory_use.h"

#include "engine/program/memory_plan.h"
#include "host/device/device.h"
#include "host/recipes/gan.h"
#include "host/run/checkpoint.h"
#include "host/run/model.h"
#include "host/train/picture_plan.h"
#include "kernels/check.h"

#include <algorithm>

namespace duel {

namespace {

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 0x1p20;
}

Options with_residency(Options options, const std::string& residency) {
  options.schedule.residency = residency;
  return options;
}

// Left free: captured steps, and kernels that the driver loads when they are first run, take memory later.
constexpr std::size_t kSpareBytes = std::size_t{64} << 20;

// Of a CPU's memory beside all that is planned: primitives and their scratch, threads, files that are written.
constexpr std::size_t kHostBytes = std::size_t{64} << 20;

// What training takes where device and host are one, beside MemoryUse::required(): the copy of the state that
// checkpoints are written from, and both sample sheets with theirs.
std::size_t host_bytes(const Options& options, const Data& dataset, const MemoryUse& use) {
  const std::size_t picture = sizeof(float) * dataset.height * dataset.width * dataset.channels;
  return kHostBytes + use.snapshot + 4 * picture * options.output.sample_rows * options.output.sample_columns;
}

// With "auto" replaced by whichever takes less memory.
Options smallest(const Options& options, const Data& dataset, const LaneRequest& lanes) {
  if (options.schedule.residency != "auto") {
    return options;
  }
  const Options resident = with_residency(options, "device"), streamed = with_residency(options, "stream");
  return plan_memory_use(resident, dataset, lanes).required() <= plan_memory_use(streamed, dataset, lanes).required()
             ? resident
             : streamed;
}

// The largest batch below options.train.batch that takes at most `bytes`; 0 where not even one picture does.
int largest_batch(Options options, const Data& dataset, const LaneRequest& lanes, std::size_t bytes) {
  int fits = 0, too_many = options.train.batch;
  while (too_many - fits > 1) {
    options.train.batch = fits + (too_many - fits) / 2;
    const std::size_t required = plan_memory_use(smallest(options, dataset, lanes), dataset, lanes).required();
    (required <= bytes ? fits : too_many) = options.train.batch;
  }
  return fits;
}

}  // namespace

std::size_t snapshot_bytes(const Options& options, const GanModel& model) {
  if (options.output.checkpoint_every == 0) {
    return 0;
  }
  std::size_t bytes = 0;
  for (const View& block : checkpoint_blocks(model)) {
    bytes += block.bytes();
  }
  return bytes;
}

bool fits_snapshot(Context& context, std::size_t bytes) {
  const std::optional<std::size_t> free_bytes = context.free_bytes();
  return free_bytes && bytes + kSpareBytes <= *free_bytes;
}

RecordedStep::RecordedStep(const Options& options, const Data& dataset)
    : host_(Context::cpu(1)), model_(make_model(options, Shape{1, dataset.height, dataset.width, dataset.channels})) {
  // Programs are recorded on arrays that exist, each apart from the others: lanes are planned by which of them overlap.
  // Pages that are not touched take no memory.
  allocate_for_training(host_, model_, options, false);
  const int metrics = static_cast<int>(gan_metrics(options).size());
  const PicturePlan plan = plan_pictures(options, dataset, options.schedule.residency == "stream");
  pictures_ = Buffer(host_, plan.bytes());
  step_ = Buffer(host_, sizeof(std::int64_t));
  ring_ = Buffer(host_, static_cast<std::size_t>(kRingRows * metrics) * sizeof(float));
  phases_ = record_gan(model_, options,
                       {.pictures = pictures_.view(plan.shape, DType::u8),
                        .step = step_.view({1}, DType::i64),
                        .ring = ring_.view({kRingRows, metrics}, DType::f32),
                        .slot_rows = plan.slot_rows});
}

MemoryUse plan_memory_use(const Options& options, const Data& dataset, const LaneRequest& lanes) {
  const RecordedStep step(options, dataset);
  MemoryUse use;
  for (const Network* network : {step.model().generator.get(), step.model().discriminator.get()}) {
    use.parameters += network->parameters().allocated_bytes();
  }
  for (const Program* program : {&step.phases().discriminator, &step.phases().generator}) {
    const MemoryPlan plan = plan_memory(*program, plan_lanes(*program, lanes));
    use.arena = std::max(use.arena, plan.arena_bytes);
    use.arena_unshared = std::max(use.arena_unshared, plan.unshared_bytes);
  }
  use.pictures = plan_pictures(options, dataset, options.schedule.residency == "stream").bytes();
  use.snapshot = snapshot_bytes(options, step.model());
  return use;
}

bool streams_pictures(Context& context, const Options& options, const Data& dataset) {
  if (options.schedule.residency != "auto") {
    return options.schedule.residency == "stream";
  }
  const std::optional<std::size_t> free_bytes = context.free_bytes();
  return free_bytes && plan_memory_use(options, dataset, lane_request(context, options)).required() > *free_bytes;
}

void check_memory(Context& context, const Options& asked, const Data& dataset) {
  if (asked.schedule.memory == "ignore") {
    return;
  }
  if (const std::optional<std::size_t> free_bytes = context.free_bytes()) {
    check_memory(context, asked, dataset, {*free_bytes, ""});
  } else if (const std::optional<FreeMemory> free = free_memory()) {
    check_memory(context, asked, dataset, *free);
  }
}

void check_memory(Context& context, const Options& asked, const Data& dataset, const FreeMemory& free) {
  const bool is_cpu = !context.free_bytes().has_value();
  const LaneRequest lanes = lane_request(context, asked);
  Options options = asked;
  if (!is_cpu) {
    options = smallest(asked, dataset, lanes);
  } else if (asked.schedule.residency == "auto") {
    options = with_residency(asked, "device");  // a CPU streams only where it is told to
  }
  if (is_cpu) {
    options.output.checkpoint_every = std::max(options.output.checkpoint_every, 1);  // there is one at the end
  }
  const MemoryUse use = plan_memory_use(options, dataset, lanes);
  const std::size_t beside = is_cpu ? host_bytes(options, dataset, use) : 0;
  const std::size_t room = free.bytes - std::min(beside, free.bytes);
  if (use.required() <= room) {
    return;
  }
  const bool is_streamed = options.schedule.residency == "stream";
  // What is free of a machine's memory is a little less or more the next time, and what is named must fit then.
  const std::size_t change = is_cpu ? std::min(std::max(kHostBytes / 4, room / 50), room) : 0;
  const int batch = largest_batch(is_cpu ? options : asked, dataset, lanes, room - change);
  std::string what_fits = batch > 0 ? fmt::format("--batch {} would fit", batch)
                          : is_cpu  ? "no batch would fit"
                                    : "no batch would fit; use --device cpu";
  // Operators that run side by side need their arrays at the same time.
  if (lanes.lanes > 1 && plan_memory_use(smallest(asked, dataset, 1), dataset, 1).required() <= room) {
    what_fits = batch > 0 ? fmt::format("--batch {} or --lanes 1 would fit", batch) : "--lanes 1 would fit";
  }
  if (is_cpu) {
    what_fits += " (--set schedule.memory=ignore tries it all the same)";
  }
  throw_error(Error::Kind::device,
              "{}: training at batch {} needs {:.1f} MiB of {}memory (parameters and optimiser {:.1f}, "
              "pictures {}{:.1f}, activations {:.1f}{}), but {:.1f} MiB are free{}{}; {}",
              context.name(), options.train.batch, mebibytes(use.required() + beside), is_cpu ? "" : "the device's ",
              mebibytes(use.parameters), is_streamed ? "streamed " : "", mebibytes(use.pictures), mebibytes(use.arena),
              is_cpu ? fmt::format(", the rest {:.1f}", mebibytes(beside)) : "", mebibytes(free.bytes),
              free.where.empty() ? "" : " ", free.where, what_fits);
}

}  // namespace duel
