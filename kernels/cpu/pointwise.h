// Loops of pointwise operators: load, compute in float, store. `y` may be one of the inputs.
#pragma once

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

namespace duel {

template <class T, class F>
void map(const CpuContext& context, const T* x, T* y, std::int64_t count, const F& f) {
  parallel_ranges(context, count, kPointwiseGrain, [=](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      y[i] = from_float<T>(f(to_float(x[i])));
    }
  });
}

template <class T, class F>
void map(const CpuContext& context, const T* a, const T* b, T* y, std::int64_t count, const F& f) {
  parallel_ranges(context, count, kPointwiseGrain, [=](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      y[i] = from_float<T>(f(to_float(a[i]), to_float(b[i])));
    }
  });
}

}  // namespace duel
