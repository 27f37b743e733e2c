#include "kernels/indexed_rows.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <cstring>

namespace duel {

void take_rows(CpuContext& context, View table, View index, View y) {
  const std::int64_t length = y.shape.row_count();
  const std::size_t row_bytes = static_cast<std::size_t>(length) * size_of(y.dtype);
  const auto* indices = index.as<const std::int32_t>();
  const auto* from = table.as<const std::byte>();
  auto* to = y.as<std::byte>();
  const std::int32_t rows = table.shape[0];
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
  parallel_ranges(context, y.shape[0], grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int32_t k = indices[b];
      std::byte* const target = to + static_cast<std::size_t>(b) * row_bytes;
      if (k >= 0 && k < rows) {
        std::memcpy(target, from + static_cast<std::size_t>(k) * row_bytes, row_bytes);
      } else {
        std::memset(target, 0, row_bytes);
      }
    }
  });
}

// A range of the table's rows looks through the whole index: nobody else adds to them.
void scatter_rows(CpuContext& context, View dy, View index, View y) {
  const std::int64_t length = y.shape.row_count(), count = index.shape[0];
  const auto* indices = index.as<const std::int32_t>();
  auto* sums = y.as<float>();
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = dy.as<const T>();
    parallel_ranges(context, y.shape[0], grain, [=](std::int64_t begin, std::int64_t end) {
      std::fill(sums + begin * length, sums + end * length, 0.0F);
      for (std::int64_t b = 0; b < count; ++b) {
        if (indices[b] < begin || indices[b] >= end) {
          continue;
        }
        float* const sum = sums + indices[b] * length;
        const T* const row = from + b * length;
#pragma omp simd
        for (std::int64_t i = 0; i < length; ++i) {
          sum[i] += to_float(row[i]);
        }
      }
    });
  });
}

}  // namespace duel
