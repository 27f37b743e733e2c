#include "kernels/gather.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>

namespace duel {

namespace {

// y[place] = convert(rows[index_of(place)]), element by element.
template <class Stored, class T, class Index, class Convert>
void convert_rows(CpuContext& context, const Stored* rows,  // [any, length]
                  View y, Index index_of, Convert convert) {
  const std::int64_t batch = y.shape[0], length = y.shape.row_count();
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
  parallel_ranges(context, batch, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t place = begin; place < end; ++place) {
      const Stored* from = rows + index_of(place) * length;
      T* to = y.as<T>() + place * length;
      for (std::int64_t i = 0; i < length; ++i) {
        to[i] = convert(from[i]);
      }
    }
  });
}

template <class Index>
void convert_rows(CpuContext& context, DType stored, const void* rows, const RowScale& scale, View y, Index index_of) {
  if (stored == DType::i32) {
    return convert_rows<std::int32_t, std::int32_t>(context, static_cast<const std::int32_t*>(rows), y, index_of,
                                                    [](std::int32_t x) { return x; });
  }
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    const auto convert = [scale](auto x) { return from_float<T>(static_cast<float>(x) / scale.divisor + scale.shift); };
    if (stored == DType::u8) {
      convert_rows<std::uint8_t, T>(context, static_cast<const std::uint8_t*>(rows), y, index_of, convert);
    } else {
      convert_rows<float, T>(context, static_cast<const float*>(rows), y, index_of, convert);
    }
  });
}

}  // namespace

void gather_rows(CpuContext& context, const GatherRows& p, View rows, View step, View y) {
  const auto count = static_cast<std::uint32_t>(rows.shape[0]), batch = static_cast<std::uint32_t>(y.shape[0]);
  const auto now = static_cast<std::uint64_t>(step.as<std::int64_t>()[0]);
  convert_rows(context, rows.dtype, rows.data, p.scale, y, [=](std::int64_t place) {
    return std::int64_t{row_index(p.order, count, batch, now, static_cast<std::uint32_t>(place))};
  });
}

void load_rows(CpuContext& context, const LoadRows& p, View ring, View step, View y) {
  const std::int64_t slot = step.as<std::int64_t>()[0] % ring.shape[0];
  const std::byte* rows = ring.as<const std::byte>() + slot * ring.shape[1] + p.offset;
  convert_rows(context, p.dtype, rows, p.scale, y, [](std::int64_t place) { return place; });
}

}  // namespace duel
