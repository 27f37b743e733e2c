#include "host/data/batch_plan.h"

#include "engine/ops/ops.h"
#include "host/data/draw_purpose.h"
#include "kernels/check.h"
#include "kernels/gather.h"

#include <algorithm>
#include <limits>

namespace duel {

namespace {

constexpr std::size_t kLargeRing = std::size_t{64} << 20;
constexpr std::size_t kArrayAlignment = 256;                   // as an allocation of a device
constexpr std::size_t kUploadedAtOnce = std::size_t{4} << 20;  // bytes of the host that an upload takes
constexpr std::size_t kMostSlotBytes = std::numeric_limits<std::int32_t>::max();  // an extent of the ring

std::size_t aligned(std::size_t bytes, std::size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

BatchPlan::BatchPlan(const Data& data, const std::vector<DrawnField>& drawn, const Request& request)
    : request_(request), most_steps_per_launch_(request.steps_per_launch) {
  check(request.batch >= 1, "batch_plan: a batch has {} rows", request.batch);
  std::vector<std::string> draws;
  for (const DrawnField& each : drawn) {
    check(std::none_of(batches_.begin(), batches_.end(), [&](const Batch& other) { return other.drawn == each; }),
          "batch_plan: the draw '{}' takes {}/{} twice", each.draw, each.source, each.field);
    const Source& source = source_named(data, each.source);
    if (request.batch > source.count()) {
      throw_error(Error::Kind::data, "train.batch is {}, but {} has only {} pictures", request.batch, source.name(),
                  source.count());
    }
    Batch batch{each, &source, field_index(source, each.field), 0, slot_bytes_, order(each.draw, each.source)};
    draws.push_back(batch_draw_name(each.source, each.draw));
    if (request.is_streamed) {
      slot_bytes_ += aligned(batch.info().row_bytes() * static_cast<std::size_t>(request.batch), kSlotAlignment);
    } else {
      batch.array = array_of(batch);
    }
    batches_.push_back(batch);
  }
  check_distinct_draws(draws);
  if (slot_bytes_ > kMostSlotBytes) {
    throw_error(Error::Kind::device,
                "the batches of a step are {} bytes, but at most {} are streamed; use a smaller batch", slot_bytes_,
                kMostSlotBytes);
  }
  if (request.steps_per_launch == 0) {
    const std::size_t fit =
        request.is_streamed ? kLargeRing / std::max<std::size_t>(2 * slot_bytes_, 1) : std::size_t{kMostStepsPerLaunch};
    most_steps_per_launch_ = static_cast<int>(std::clamp<std::size_t>(fit, 1, kMostStepsPerLaunch));
  }
  if (request.is_streamed) {
    slots_ = 2 * most_steps_per_launch_;
    bytes_ = static_cast<std::size_t>(slots_) * slot_bytes_;
  }
}

// The place of the array that holds the batch's field; a new one where no draw has asked for the field yet.
std::size_t BatchPlan::array_of(const Batch& batch) {
  const std::string storage = "data/" + batch.drawn.source + "/" + batch.drawn.field;
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    if (arrays_[i].storage == storage) {
      return i;
    }
  }
  arrays_.push_back({storage, batch.source, batch.field, aligned(bytes_, kArrayAlignment)});
  bytes_ = arrays_.back().offset + batch.info().row_bytes() * static_cast<std::size_t>(batch.source->count());
  return arrays_.size() - 1;
}

void BatchPlan::add_to(Storage& storage, std::byte* memory) const {
  if (is_streamed()) {
    storage.add("data/ring", {memory, {slots_, static_cast<int>(slot_bytes_)}, DType::u8});
  }
  for (const Array& array : arrays_) {
    storage.add(array.storage, {memory + array.offset, array.shape(), array.source->fields()[array.field].dtype});
  }
}

void BatchPlan::upload(Context& context, std::byte* memory) const {
  for (const Array& array : arrays_) {
    const std::size_t row_bytes = array.source->fields()[array.field].row_bytes();
    const std::int64_t at_once = static_cast<std::int64_t>(std::max<std::size_t>(kUploadedAtOnce / row_bytes, 1));
    const std::int64_t count = array.source->count();
    std::vector<std::byte> rows(static_cast<std::size_t>(std::min(at_once, count)) * row_bytes);
    for (std::int64_t first = 0; first < count; first += at_once) {
      const std::int64_t end = std::min(first + at_once, count);
      for (std::int64_t row = first; row < end; ++row) {
        array.source->read(row, array.field, rows.data() + static_cast<std::size_t>(row - first) * row_bytes);
      }
      context.upload(memory + array.offset + static_cast<std::size_t>(first) * row_bytes, rows.data(),
                     static_cast<std::size_t>(end - first) * row_bytes);
    }
  }
}

const BatchPlan::Batch& BatchPlan::batch_of(const DrawnField& drawn) const {
  const auto found =
      std::find_if(batches_.begin(), batches_.end(), [&](const Batch& batch) { return batch.drawn == drawn; });
  check(found != batches_.end(), "batch_plan: the draw '{}' of {}/{} is not planned", drawn.draw, drawn.source,
        drawn.field);
  return *found;
}

Value BatchPlan::record(Program& program, const std::string& draw, const std::string& source, const std::string& field,
                        Value step, DType dtype) const {
  const Batch& batch = batch_of({draw, source, field});
  const Field& info = batch.info();
  const DType out = info.dtype == DType::i32 ? DType::i32 : dtype;
  if (is_streamed()) {
    const Value ring = program.bind("data/ring", {slots_, static_cast<int>(slot_bytes_)}, DType::u8);
    const LoadRows load{info.dtype, static_cast<std::int64_t>(batch.offset), info.scale};
    return ops::load_rows(program, load, ring, step, info.shape.with_rows(request_.batch), out);
  }
  const Array& array = arrays_[batch.array];
  const Value rows = program.bind(array.storage, array.shape(), info.dtype);
  return ops::gather_rows(program, {batch.order, info.scale}, rows, step, request_.batch, out);
}

Random BatchPlan::order(const std::string& draw, const std::string& source) const {
  return {request_.seed, purpose_of_draw(batch_draw_name(source, draw))};
}

void BatchPlan::fill_slot(std::int64_t step, std::byte* slot) const {
  for (const Batch& batch : batches_) {
    const std::size_t row_bytes = batch.info().row_bytes();
    const auto count = static_cast<std::uint32_t>(batch.source->count());
    const auto size = static_cast<std::uint32_t>(request_.batch);
    for (std::uint32_t place = 0; place < size; ++place) {
      const std::uint32_t row = row_index(batch.order, count, size, static_cast<std::uint64_t>(step), place);
      batch.source->read(row, batch.field, slot + batch.offset + place * row_bytes);
    }
  }
}

}  // namespace duel
