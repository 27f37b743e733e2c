#include "kernels/scale_rows.h"

#include "kernels/arguments.h"
#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>

namespace duel {

namespace {

// Rows are cut into ranges, as there may be few of them: each_range(scale, first, count) of elements of one row.
template <class Body>
void for_ranges_of_rows(const CpuContext& context, const float* scale, std::int64_t length, std::int64_t count,
                        const Body& each_range) {
  parallel_ranges(context, count, kPointwiseGrain, [=](std::int64_t begin, std::int64_t end) {
    const Body own = each_range;
    while (begin < end) {
      const std::int64_t row = begin / length, stop = std::min(end, (row + 1) * length);
      own(scale[row], begin, stop - begin);
      begin = stop;
    }
  });
}

}  // namespace

void scale_rows(CpuContext& context, View scale, View x, View addend, View y) {
  const auto* factors = scale.as<const float>();
  const std::int64_t length = x.shape.row_count();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = x.as<const T>();
    T* to = y.as<T>();
    if (is_present(addend)) {
      const T* behind = addend.as<const T>();
      for_ranges_of_rows(context, factors, length, x.count(),
                         [=](float factor, std::int64_t first, std::int64_t count) {
                           const T *const a = from + first, *const b = behind + first;
                           T* const result = to + first;
#pragma omp simd
                           for (std::int64_t i = 0; i < count; ++i) {
                             result[i] = from_float<T>(factor * to_float(a[i]) + to_float(b[i]));
                           }
                         });
    } else {
      for_ranges_of_rows(context, factors, length, x.count(),
                         [=](float factor, std::int64_t first, std::int64_t count) {
                           const T* const a = from + first;
                           T* const result = to + first;
#pragma omp simd
                           for (std::int64_t i = 0; i < count; ++i) {
                             result[i] = from_float<T>(factor * to_float(a[i]));
                           }
                         });
    }
  });
}

}  // namespace duel
