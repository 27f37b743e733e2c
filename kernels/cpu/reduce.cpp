#include "kernels/reduce.h"

#include "kernels/cpu/column_sum.h"
#include "kernels/cpu/pointwise.h"

namespace duel {

namespace {

constexpr std::int64_t kColumnsAtOnce = 64;

template <class T>
double sum_of(const T* x, std::int64_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    sum += static_cast<double>(to_float(x[i]));
  }
  return sum;
}

template <class T>
float sum_all(CpuContext& context, const T* x, std::int64_t count) {
  const std::int64_t most = CpuContext::kPartialBytes / sizeof(double);
  const std::int64_t block = std::max<std::int64_t>(kPointwiseGrain, (count + most - 1) / most);
  const std::int64_t blocks = (count + block - 1) / block;
  auto* partials = static_cast<double*>(context.partials());
  parallel_ranges(context, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      partials[i] = sum_of(x + i * block, std::min(block, count - i * block));
    }
  });
  double sum = 0;
  for (std::int64_t i = 0; i < blocks; ++i) {
    sum += partials[i];
  }
  return static_cast<float>(sum);
}

// y[c] = scale * sum over p of x[p,c], for `count` columns of rows that are `columns` long.
template <class T>
void sum_some_columns(const T* x, std::int64_t rows, std::int64_t columns, std::int64_t count, float scale, float* y) {
  double sums[kColumnsAtOnce] = {};
  for (std::int64_t row = 0; row < rows; ++row) {
    const T* values = x + row * columns;
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) {
      sums[c] += static_cast<double>(to_float(values[c]));
    }
  }
  for (std::int64_t c = 0; c < count; ++c) {
    y[c] = scale * static_cast<float>(sums[c]);
  }
}

// Of each matrix [rows, columns] of x the sums of its columns.
template <class T>
void sum_each_matrix(CpuContext& context, const T* x, const Shape& shape, float scale, float* y) {
  const std::int64_t columns = shape.back(), rows = shape.row_count() / columns;
  const std::int64_t parts = (columns + kColumnsAtOnce - 1) / kColumnsAtOnce;
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain * parts / shape.row_count());
  parallel_ranges(context, shape[0] * parts, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t n = i / parts, first = i % parts * kColumnsAtOnce;
      const std::int64_t count = std::min(kColumnsAtOnce, columns - first);
      if (columns == 1) {
        y[n] = scale * static_cast<float>(sum_of(x + n * rows, rows));
      } else {
        sum_some_columns(x + n * rows * columns + first, rows, columns, count, scale, y + n * columns + first);
      }
    }
  });
}

}  // namespace

void reduce_sum(CpuContext& context, const Reduce& p, View x, View y) {
  auto* result = y.as<float>();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const T* from = x.as<T>();
    switch (p.axes) {
      case Axes::all: result[0] = p.scale * sum_all(context, from, x.count()); return;
      case Axes::each_row: {
        const std::int64_t length = x.shape.row_count();
        const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
        parallel_ranges(context, x.shape[0], grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) {
            result[row] = p.scale * static_cast<float>(sum_of(from + row * length, length));
          }
        });
        return;
      }
      case Axes::each_column: {
        const std::int64_t columns = x.shape.back();
        sum_rows(context, x.shape.outer_count(), columns, p.scale, result, [&](std::int64_t row, float* sums) {
          const T* values = from + row * columns;
#pragma omp simd
          for (std::int64_t c = 0; c < columns; ++c) {
            sums[c] += to_float(values[c]);
          }
        });
        return;
      }
      case Axes::each_row_and_column: sum_each_matrix(context, from, x.shape, p.scale, result); return;
    }
  });
}

void broadcast(CpuContext& context, const Reduce& p, View x, View y) {
  const auto* from = x.as<float>();
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    T* to = y.as<T>();
    // As a matrix: each row gets one value (all, each_row) or a vector of values, the same for `rows_alike` rows.
    const bool columns_differ = p.axes == Axes::each_column || p.axes == Axes::each_row_and_column;
    const std::int64_t length =
        columns_differ ? y.shape.back() : (p.axes == Axes::all ? y.count() : y.shape.row_count());
    const std::int64_t rows = y.count() / length;
    const std::int64_t rows_alike = p.axes == Axes::each_row_and_column ? rows / y.shape[0] : rows;
    const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
    parallel_ranges(context, rows, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        if (columns_differ) {
          const float* values = from + row / rows_alike * length;
          for (std::int64_t i = 0; i < length; ++i) {
            to[row * length + i] = from_float<T>(p.scale * values[i]);
          }
        } else {
          std::fill_n(to + row * length, length, from_float<T>(p.scale * from[row]));
        }
      }
    });
  });
}

}  // namespace duel
