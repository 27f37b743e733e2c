#include "kernels/batch_norm.h"

#include "kernels/cpu/activation.h"
#include "kernels/cpu/column_sum.h"
#include "kernels/cpu/pointwise.h"

#include <cmath>

namespace duel {

namespace {

// visit(from + row * columns, to + row * columns) for every row, on all threads.
template <class T, class Visit>
void for_rows(const CpuContext& context, View x, View y, const Visit& visit) {
  const std::int64_t columns = x.shape.back();
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / columns);
  parallel_ranges(context, x.shape.outer_count(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      visit(x.as<const T>() + row * columns, y.as<T>() + row * columns);
    }
  });
}

template <class T>
void take_statistics(CpuContext& context, const T* x, std::int64_t rows, std::int64_t columns, float epsilon,
                     float* mean, float* rstd) {
  const float scale = 1.0F / static_cast<float>(rows);
  // From the first row on: sums of differences, which a mean far from zero does not make large.
  sum_rows(context, rows, columns, scale, mean, [=](std::int64_t row, float* sums) {
    const T* values = x + row * columns;
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) {
      sums[c] += to_float(values[c]) - to_float(x[c]);
    }
  });
  for (std::int64_t c = 0; c < columns; ++c) {
    mean[c] += to_float(x[c]);
  }
  sum_rows(context, rows, columns, scale, rstd, [=](std::int64_t row, float* sums) {
    const T* values = x + row * columns;
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) {
      const float difference = to_float(values[c]) - mean[c];
      sums[c] += difference * difference;
    }
  });
  for (std::int64_t c = 0; c < columns; ++c) {
    rstd[c] = 1.0F / std::sqrt(rstd[c] + epsilon);
  }
}

}  // namespace

void batch_norm_forward(CpuContext& context, const BatchNorm& p, View x, View gamma, View beta, View y, View mean,
                        View rstd) {
  const std::int64_t columns = x.shape.back();
  const auto *g = gamma.as<const float>(), *b = beta.as<const float>();
  const auto *m = mean.as<const float>(), *r = rstd.as<const float>();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    take_statistics(context, x.as<const T>(), x.shape.outer_count(), columns, p.epsilon, mean.as<float>(),
                    rstd.as<float>());
    with_activation(p.activation, [&](auto act, auto) {
      for_rows<T>(context, x, y, [=](const T* from, T* to) {
#pragma omp simd
        for (std::int64_t c = 0; c < columns; ++c) {
          to[c] = from_float<T>(act((to_float(from[c]) - m[c]) * (g[c] * r[c]) + b[c]));
        }
      });
    });
  });
}

void batch_norm_inference(CpuContext& context, const BatchNorm& p, View x, View gamma, View beta, View mean,
                          View variance, View y) {
  const std::int64_t columns = x.shape.back();
  const auto *g = gamma.as<const float>(), *b = beta.as<const float>();
  const auto *m = mean.as<const float>(), *v = variance.as<const float>();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    with_activation(p.activation, [&](auto act, auto) {
      for_rows<T>(context, x, y, [=, epsilon = p.epsilon](const T* from, T* to) {
#pragma omp simd
        for (std::int64_t c = 0; c < columns; ++c) {
          const float rstd = 1.0F / std::sqrt(v[c] + epsilon);
          to[c] = from_float<T>(act((to_float(from[c]) - m[c]) * (g[c] * rstd) + b[c]));
        }
      });
    });
  });
}

void batch_norm_backward(CpuContext& context, View dy, View x, View gamma, View mean, View rstd, View dx, View dgamma,
                         View dbeta) {
  const std::int64_t columns = x.shape.back(), rows = x.shape.outer_count();
  const auto *g = gamma.as<const float>(), *m = mean.as<const float>(), *r = rstd.as<const float>();
  const auto *dg = dgamma.as<const float>(), *db = dbeta.as<const float>();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const auto *gradient = dy.as<const T>(), *values = x.as<const T>();
    sum_rows(context, rows, columns, 1.0F, dbeta.as<float>(), [=](std::int64_t row, float* sums) {
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) {
        sums[c] += to_float(gradient[row * columns + c]);
      }
    });
    sum_rows(context, rows, columns, 1.0F, dgamma.as<float>(), [=](std::int64_t row, float* sums) {
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) {
        sums[c] += to_float(gradient[row * columns + c]) * ((to_float(values[row * columns + c]) - m[c]) * r[c]);
      }
    });
    const float share = 1.0F / static_cast<float>(rows);
    for_rows<T>(context, dy, dx, [=](const T* from, T* to) {
      const T* input = values + (from - gradient);
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) {
        const float h = (to_float(input[c]) - m[c]) * r[c];
        to[c] = from_float<T>(g[c] * r[c] * (to_float(from[c]) - share * db[c] - h * (share * dg[c])));
      }
    });
  });
}

void batch_norm_track(CpuContext&, const BatchNormTrack& p, View mean, View rstd, const BatchNormState& state) {
  const auto *m = mean.as<const float>(), *r = rstd.as<const float>();
  auto *running_mean = state.running_mean.as<float>(), *running_variance = state.running_variance.as<float>();
  const auto unbiased = static_cast<float>(static_cast<double>(p.rows) / static_cast<double>(p.rows - 1));
  for (std::int64_t c = 0; c < mean.count(); ++c) {
    const float variance = std::max(0.0F, 1.0F / (r[c] * r[c]) - p.epsilon);
    running_mean[c] += p.momentum * (m[c] - running_mean[c]);
    running_variance[c] += p.momentum * (unbiased * variance - running_variance[c]);
  }
}

}  // namespace duel
