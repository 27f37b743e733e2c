#include "host/sample/drawing_memory.h"

#include "engine/program/lanes.h"
#include "engine/program/memory_plan.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"

#include <optional>
#include <string>

namespace duel {

namespace {

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 0x1p20;
}

}  // namespace

DrawingMemory plan_drawing(const Sampling& sampling, const Networks& networks, std::int64_t sheet_pictures) {
  DrawingMemory use;
  for (const std::string& name : sampling.networks) {
    const NamedNetwork& each = networks.at(name);
    use.weights += each.network->parameters().bytes_of(sampling_blocks(each));
  }
  const RecordedSampling recorded =
      record_sampling(sampling, networks, {rows_at_once(sampling), Parameters::Block::average, std::nullopt});
  use.activations = plan_memory(recorded.program, plan_lanes(recorded.program, 1)).arena_bytes;
  for (const Field& field : sampling.inputs) {
    use.activations += static_cast<std::size_t>(rows_at_once(sampling)) * field.row_bytes();
  }
  // The pictures as floats, and as the bytes of the sheet.
  const std::int64_t picture = sampling.outputs[0].shape.count();
  use.sheet = static_cast<std::size_t>(sheet_pictures * picture) * (sizeof(float) + 1);
  return use;
}

void check_drawing_memory(Context& context, const DrawingMemory& use) {
  const std::optional<std::size_t> free_bytes = context.free_bytes();
  if (free_bytes) {
    check_drawing_memory(context, use, {*free_bytes, ""});
  } else if (const std::optional<FreeMemory> free = free_memory()) {
    check_drawing_memory(context, use, *free);
  }
}

void check_drawing_memory(Context& context, const DrawingMemory& use, const FreeMemory& free) {
  const bool is_cpu = !context.free_bytes().has_value();
  const std::size_t required = use.weights + use.activations + (is_cpu ? use.sheet : 0);
  if (required <= free.bytes) {
    return;
  }
  throw_error(
      Error::Kind::device,
      "{}: to draw with this generator needs {:.1f} MiB of memory (weights {:.1f}, activations {:.1f}, the sheet "
      "{:.1f}), but {:.1f} MiB are free{}{}",
      context.name(), mebibytes(required), mebibytes(use.weights), mebibytes(use.activations),
      mebibytes(is_cpu ? use.sheet : 0), mebibytes(free.bytes), free.where.empty() ? "" : " ", free.where);
}

}  // namespace duel
