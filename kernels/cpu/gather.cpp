#include "kernels/gather.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

namespace duel {

namespace {

// y[place] = pictures[index_of(place)], scaled.
template <class Index>
void convert_pictures(CpuContext& context, View pictures, View y, Index index_of) {
  const std::int64_t batch = y.shape[0], length = y.shape.row_count();
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
    parallel_ranges(context, batch, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t place = begin; place < end; ++place) {
        const std::uint8_t* from = pictures.as<std::uint8_t>() + index_of(place) * length;
        T* to = y.as<T>() + place * length;
        for (std::int64_t i = 0; i < length; ++i) {
          to[i] = from_float<T>(static_cast<float>(from[i]) / 127.5F - 1.0F);
        }
      }
    });
  });
}

}  // namespace

void gather_pictures(CpuContext& context, const Random& order, View pictures, View step, View y) {
  const auto count = static_cast<std::uint32_t>(pictures.shape[0]), batch = static_cast<std::uint32_t>(y.shape[0]);
  const auto now = static_cast<std::uint64_t>(step.as<std::int64_t>()[0]);
  convert_pictures(context, pictures, y, [=](std::int64_t place) {
    return std::int64_t{picture_index(order, count, batch, now, static_cast<std::uint32_t>(place))};
  });
}

void load_pictures(CpuContext& context, const PictureSlot& slot, View ring, View step, View y) {
  const std::int64_t slots = ring.shape[0] / slot.rows, now = step.as<std::int64_t>()[0] % slots;
  const std::int64_t first = now * slot.rows + slot.first;
  convert_pictures(context, ring, y, [=](std::int64_t place) { return first + place; });
}

}  // namespace duel
