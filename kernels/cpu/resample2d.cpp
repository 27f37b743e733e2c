// First down the columns, then along the row: a row of y is made of a few rows of x, whose weighted sum [W,C] is one
// long loop over memory, and lies in the first cache when the pixels of y are taken from it.
#include "kernels/resample2d.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>
#include <new>

namespace duel {

namespace {

// What one place of the result is the sum of, along one axis: places [first, first + count) and their weights.
struct Reach {
  int first = 0, count = 0;
  float weights[Resample2d::kMostTaps] = {};

  Reach(const Resample2d& p, int place, int extent) {
    for (int t = 0; t < p.count; ++t) {
      const int at = place * p.down + t - p.pad;
      if (at < 0 || at % p.up != 0 || at / p.up >= extent) {
        continue;
      }
      first = count == 0 ? at / p.up : first;
      weights[count++] = p.taps[t];
    }
  }
};

// to[i] = sum over j of weights[j] * from[j * step + i]
template <class T, class U>
void sum_weighted(const T* from, std::int64_t step, const Reach& reach, std::int64_t length, U* to) {
  const float a = reach.weights[0], b = reach.weights[1], c = reach.weights[2], d = reach.weights[3];
  switch (reach.count) {
    case 0: std::fill_n(to, length, from_float<U>(0.0F)); return;
    case 1:
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) {
        to[i] = from_float<U>(a * to_float(from[i]));
      }
      return;
    case 2:
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) {
        to[i] = from_float<U>(a * to_float(from[i]) + b * to_float(from[step + i]));
      }
      return;
    case 4:
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) {
        to[i] = from_float<U>(a * to_float(from[i]) + b * to_float(from[step + i]) +
                              (c * to_float(from[2 * step + i]) + d * to_float(from[3 * step + i])));
      }
      return;
    default:
      for (std::int64_t i = 0; i < length; ++i) {
        float sum = 0;
        for (int j = 0; j < reach.count; ++j) {
          sum += reach.weights[j] * to_float(from[j * step + i]);
        }
        to[i] = from_float<U>(sum);
      }
  }
}

std::size_t scratch_bytes(const CpuContext& context, View x, View y) {
  const std::int64_t row = std::int64_t{x.shape[2]} * x.shape[3];
  return static_cast<std::size_t>(context.threads() * row) * sizeof(float) +
         static_cast<std::size_t>(y.shape[1] + y.shape[2]) * sizeof(Reach);
}

}  // namespace

void prepare_resample2d(CpuContext& context, const Resample2d&, View x, View y) {
  context.reserve_scratch(scratch_bytes(context, x, y));
}

void resample2d(CpuContext& context, const Resample2d& p, View x, View y) {
  context.reserve_scratch(scratch_bytes(context, x, y));
  const int height = x.shape[1], width = x.shape[2], channels = x.shape[3], rows = y.shape[1], columns = y.shape[2];
  const std::int64_t row = std::int64_t{width} * channels, made = std::int64_t{columns} * channels;
  auto* const down = static_cast<Reach*>(context.scratch());
  Reach* const along = down + rows;
  auto* const sums = reinterpret_cast<float*>(along + columns);
  for (int i = 0; i < rows; ++i) {
    new (down + i) Reach(p, i, height);
  }
  for (int i = 0; i < columns; ++i) {
    new (along + i) Reach(p, i, width);
  }
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / made);
    parallel_ranges(context, std::int64_t{y.shape[0]} * rows, grain,
                    [&](std::int64_t begin, std::int64_t end, int member) {
                      float* const sum = sums + member * row;
                      for (std::int64_t i = begin; i < end; ++i) {
                        const Reach& reach = down[i % rows];
                        sum_weighted(x.as<const T>() + (i / rows * height + reach.first) * row, row, reach, row, sum);
                        T* const to = y.as<T>() + i * made;
                        for (int q = 0; q < columns; ++q) {
                          sum_weighted(sum + std::int64_t{along[q].first} * channels, channels, along[q], channels,
                                       to + std::int64_t{q} * channels);
                        }
                      }
                    });
  });
}

}  // namespace duel
