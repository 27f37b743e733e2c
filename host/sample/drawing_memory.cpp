#include "host/sample/drawing_memory.h"

#include "host/run/model.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"

#include <optional>

namespace duel {

namespace {

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 0x1p20;
}

}  // namespace

DrawingMemory plan_drawing(const Options& options, const Shape& picture, std::int64_t sheet_pictures) {
  // On arrays that exist; pages that are not touched take no memory.
  Context host = Context::cpu(1, KernelChoice::ours);
  GanModel model = make_model(options, picture);
  model.generator->parameters().allocate(host, {false, true, false, false});
  DrawingMemory use;
  use.weights = model.generator->parameters().allocated_bytes();
  use.activations = LatentSampler(host, model, Parameters::Block::average).bytes();
  // The pictures as floats, and as the bytes of the sheet.
  use.sheet = static_cast<std::size_t>(sheet_pictures * picture.count()) * (sizeof(float) + 1);
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
