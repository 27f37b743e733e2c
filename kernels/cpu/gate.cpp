#include "kernels/gate.h"

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/vector.h"

namespace duel {

namespace {

using simd::kLanes;

// Calls each_row(row) on all threads.
template <class Body>
void for_rows(const CpuContext& context, const Shape& x, const Body& each_row) {
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / x.back());
  parallel_ranges(context, x.outer_count(), grain, [=](std::int64_t begin, std::int64_t end) {
    const Body own = each_row;
    for (std::int64_t row = begin; row < end; ++row) {
      own(row);
    }
  });
}

}  // namespace

void gate(CpuContext& context, View x, View y) {
  const int half = y.shape.back();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    for_rows(context, x.shape, [half, from = x.as<const T>(), to = y.as<T>()](std::int64_t row) {
      const T *const a = from + 2 * row * half, *const b = a + half;
      T* const product = to + row * half;
      int c = 0;
      for (; c + kLanes <= half; c += kLanes) {
        simd::store(product + c, simd::load(a + c) * simd::load(b + c));
      }
      for (; c < half; ++c) {
        product[c] = from_float<T>(to_float(a[c]) * to_float(b[c]));
      }
    });
  });
}

void gate_backward(CpuContext& context, View dy, View x, View dx) {
  const int half = dy.shape.back();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    for_rows(context, x.shape,
             [half, gradients = dy.as<const T>(), from = x.as<const T>(), to = dx.as<T>()](std::int64_t row) {
               const T *const g = gradients + row * half, *const a = from + 2 * row * half, *const b = a + half;
               T *const da = to + 2 * row * half, *const db = da + half;
               int c = 0;
               for (; c + kLanes <= half; c += kLanes) {
                 const simd::Vec gradient = simd::load(g + c);
                 simd::store(da + c, gradient * simd::load(b + c));
                 simd::store(db + c, gradient * simd::load(a + c));
               }
               for (; c < half; ++c) {
                 da[c] = from_float<T>(to_float(g[c]) * to_float(b[c]));
                 db[c] = from_float<T>(to_float(g[c]) * to_float(a[c]));
               }
             });
  });
}

}  // namespace duel
