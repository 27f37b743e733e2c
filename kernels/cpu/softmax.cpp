#include "kernels/softmax.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace duel {

namespace {

// e^x for x <= 0, to 2 units in the last place, in arithmetic that compilers make vectors of (they call std::exp one by
// one): x = n log 2 + r with |r| <= log 2 / 2, and e^r by a polynomial (Cephes' expf). Zero below -87, where floats
// begin to lose digits; NaN stays NaN.
inline float exp_of_nonpositive(float x) {
  constexpr float kLog2E = 1.44269504F, kLog2High = 0.693359375F, kLog2Low = -2.12194440e-4F;
  constexpr float kRounding = 12582912.0F;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  const float shifted = x * kLog2E + kRounding, n = shifted - kRounding;
  const float r = x - n * kLog2High - n * kLog2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  // n stands in the low bits of `shifted`: 2^n.
  const float power = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3F800000U);
  return x < -87.0F ? 0.0F : p * power;
}

// Calls body(first element) for each row.
template <class Body>
void for_each_row(const CpuContext& context, const Shape& shape, const Body& body) {
  const int columns = shape.back();
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / columns);
  parallel_ranges(context, shape.outer_count(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      body(row * columns);
    }
  });
}

template <class T>
void softmax_row(const T* x, T* y, int columns) {
  float largest = to_float(x[0]);
#pragma omp simd reduction(max : largest)
  for (int c = 1; c < columns; ++c) {
    const float value = to_float(x[c]);
    largest = value > largest ? value : largest;
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int c = 0; c < columns; ++c) {
    sum += exp_of_nonpositive(to_float(x[c]) - largest);
  }
  const float share = 1.0F / sum;
#pragma omp simd
  for (int c = 0; c < columns; ++c) {
    y[c] = from_float<T>(share * exp_of_nonpositive(to_float(x[c]) - largest));
  }
}

template <class T>
void softmax_backward_row(const T* dy, const T* y, T* dx, int columns) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int c = 0; c < columns; ++c) {
    sum += to_float(dy[c]) * to_float(y[c]);
  }
#pragma omp simd
  for (int c = 0; c < columns; ++c) {
    dx[c] = from_float<T>(to_float(y[c]) * (to_float(dy[c]) - sum));
  }
}

}  // namespace

void softmax(CpuContext& context, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    for_each_row(context, x.shape,
                 [&](std::int64_t first) { softmax_row(x.as<const T>() + first, y.as<T>() + first, x.shape.back()); });
  });
}

void softmax_backward(CpuContext& context, View dy, View y, View dx) {
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    for_each_row(context, y.shape, [&](std::int64_t first) {
      softmax_backward_row(dy.as<const T>() + first, y.as<const T>() + first, dx.as<T>() + first, y.shape.back());
    });
  });
}

}  // namespace duel
