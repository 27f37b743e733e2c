// Rows of a table chosen by an index, and their sums (contract: kernels/indexed_rows.h).
//
//   take_rows     one thread moves one unit of y at a time: 16 bytes where pointers and lengths allow, else 4 or 2.
//                 Bytes moved: the output's twice
//   scatter_rows  one thread makes one element of y: it goes through the index, whose numbers a warp reads at one
//                 address where a row is a whole number of warps, and adds the rows that are the table row's own
#include "kernels/indexed_rows.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- kernels

template <class Unit>
__global__ void __launch_bounds__(kMapThreads) take_rows_kernel(const Unit* table,          // [rows, length]
                                                                const std::int32_t* index,  // [count / length]
                                                                Unit* y,                    // [count]
                                                                int rows, std::int64_t length, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; i < count; i += stride) {
    const std::int64_t row = i / length;
    const std::int32_t k = index[row];
    Unit unit{};
    if (k >= 0 && k < rows) {
      unit = table[k * length + (i - row * length)];
    }
    y[i] = unit;
  }
}

template <class T>
__global__ void __launch_bounds__(kMapThreads) scatter_rows_kernel(const T* dy,                // [batch, length]
                                                                   const std::int32_t* index,  // [batch]
                                                                   float* y,                   // [count]
                                                                   int batch, std::int64_t length, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; i < count; i += stride) {
    const std::int64_t row = i / length, column = i - row * length;
    float sum = 0;
#pragma unroll 4
    for (int b = 0; b < batch; ++b) {
      if (index[b] == row) {
        sum += to_float(dy[b * length + column]);
      }
    }
    y[i] = sum;
  }
}

// ---- launchers

void take_rows(CudaContext& context, View table, View index, View y) {
  const std::size_t row_bytes = static_cast<std::size_t>(y.shape.row_count()) * size_of(y.dtype);
  const auto run = [&](auto unit) {
    using Unit = decltype(unit);
    const auto count = static_cast<std::int64_t>(y.bytes() / sizeof(Unit));
    launch(context, "take_rows", {blocks_for(count, kMapThreads, 1, kMapBlocks), kMapThreads}, take_rows_kernel<Unit>,
           table.as<const Unit>(), index.as<const std::int32_t>(), y.as<Unit>(), table.shape[0],
           static_cast<std::int64_t>(row_bytes / sizeof(Unit)), count);
  };
  const auto all = row_bytes | reinterpret_cast<std::uintptr_t>(table.data) | reinterpret_cast<std::uintptr_t>(y.data);
  if (all % 16 == 0) {
    run(Vector<std::uint32_t>{});
  } else if (all % 4 == 0) {
    run(std::uint32_t{});
  } else {
    run(std::uint16_t{});  // the smallest element is bf16
  }
}

void scatter_rows(CudaContext& context, View dy, View index, View y) {
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "scatter_rows", {blocks_for(y.count(), kMapThreads, 1, kMapBlocks), kMapThreads},
           scatter_rows_kernel<T>, dy.as<const T>(), index.as<const std::int32_t>(), y.as<float>(), index.shape[0],
           y.shape.row_count(), y.count());
  });
}

}  // namespace duel
