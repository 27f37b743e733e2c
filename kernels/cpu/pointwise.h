// Loops of pointwise operators: load, compute in float, store. `y` may be one of the inputs.
//
// Each loop works with a copy of the function of its own. What a captured one holds (a slope) lies in memory that a
// store to `y` might change, for all that the compiler knows: GCC 12 then loads it for every element and leaves the
// loop scalar.
#pragma once

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

namespace duel {

template <class T, class F>
void map(const CpuContext& context, const T* x, T* y, std::int64_t count, const F& f) {
  parallel_ranges(context, count, kPointwiseGrain, [=](std::int64_t begin, std::int64_t end) {
    const F own = f;
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      y[i] = from_float<T>(own(to_float(x[i])));
    }
  });
}

template <class T, class F>
void map(const CpuContext& context, const T* a, const T* b, T* y, std::int64_t count, const F& f) {
  parallel_ranges(context, count, kPointwiseGrain, [=](std::int64_t begin, std::int64_t end) {
    const F own = f;
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      y[i] = from_float<T>(own(to_float(a[i]), to_float(b[i])));
    }
  });
}

}  // namespace duel
