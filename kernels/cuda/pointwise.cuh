// Maps: y[i] = f(x[i]...) over arrays of one length, for operators that read each element once; with numbers that
// follow from the step, or with one per column, y[r,c] = f(column[c], x[r,c]...).
//
// One thread takes 16 bytes of every array at a time (four floats, eight bf16) and loops over the grid; the elements
// behind the last whole vector, and arrays that are not aligned to 16 bytes, go one by one. Inputs and output may be
// the same array: every element is read by the thread that writes it, before it does. Bytes moved: those of the arrays.
//
// Columns need no rows that are aligned: the array is read as one long row, in which the columns under a vector repeat
// every `period` vectors, and a thread's stride is a multiple of that. So its column numbers stay in its registers.
#pragma once

#include "kernels/cuda/device.cuh"

#include <algorithm>
#include <numeric>

namespace duel {

inline constexpr int kMapThreads = 256;

// The most blocks of a map: what an H100 runs at once. So few under the emulator that its small arrays loop too.
#ifdef DUEL_EMULATED
inline constexpr std::int64_t kMapBlocks = 3;
#else
inline constexpr std::int64_t kMapBlocks = 1024;
#endif

template <class T, class F, class... Inputs>  // Inputs: const T*, as below
__device__ __forceinline__ void map_elements(const F& f, T* y, std::int64_t count, std::int64_t vectors,
                                             const Inputs*... x) {
  const std::int64_t thread = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  constexpr int kWidth = kPerVector<T>;
  for (std::int64_t v = thread; v < vectors; v += stride) {
    Vector<T> result;
    const auto apply = [&](const auto&... in) {
#pragma unroll
      for (int i = 0; i < kWidth; ++i) {
        result.values[i] = from_float<T>(f(to_float(in.values[i])...));
      }
    };
    apply(load_vector(x + v * kWidth)...);
    store_vector(y + v * kWidth, result);
  }
  for (std::int64_t i = vectors * kWidth + thread; i < count; i += stride) {
    y[i] = from_float<T>(f(to_float(x[i])...));
  }
}

template <class T, class F, class... Inputs>
__global__ void __launch_bounds__(kMapThreads) map_kernel(F f, T* y,  // [count]
                                                          std::int64_t count,
                                                          std::int64_t vectors,  // count / kPerVector, or 0: unaligned
                                                          const Inputs*... x) {  // [count] each
  map_elements(f, y, count, vectors, x...);
}

// The first thread of each block works out f.at(step), in f64, for all of them.
template <class T, class F, class... Inputs>
__global__ void __launch_bounds__(kMapThreads) map_at_step_kernel(F f, const std::int64_t* step,  // [1], or null: 0
                                                                  T* y,                           // [count]
                                                                  std::int64_t count,
                                                                  std::int64_t vectors,  // as in map_kernel
                                                                  const Inputs*... x) {  // [count] each
  using Made = decltype(f.at(0));
  DUEL_SHARED(made, Made);
  if (threadIdx.x == 0) {
    made = f.at(step == nullptr ? 0 : step[0]);
  }
  __syncthreads();  // every thread reads it
  map_elements(Made(made), y, count, vectors, x...);
}

// y[i] = f(x[i]...) for i < count. F is a struct with a __device__ operator() from floats to a float.
template <class T, class F, class... Inputs>
void map(CudaContext& context, const char* op, F f, T* y, std::int64_t count, const Inputs*... x) {
  const std::int64_t vectors = all_aligned(y, x...) ? count / kPerVector<T> : 0;
  const std::int64_t items = vectors > 0 ? vectors : count;
  launch(context, op, {blocks_for(items, kMapThreads, 1, kMapBlocks), kMapThreads}, map_kernel<T, F, Inputs...>, f, y,
         count, vectors, x...);
}

// y[i] = f.at(step[0])(x[i]...) for i < count; step 0 where there is none. F is a struct with a __device__ function
// `at` from a step to such an F as above.
template <class T, class F, class... Inputs>
void map_at_step(CudaContext& context, const char* op, F f, const std::int64_t* step, T* y, std::int64_t count,
                 const Inputs*... x) {
  const std::int64_t vectors = all_aligned(y, x...) ? count / kPerVector<T> : 0;
  const std::int64_t items = vectors > 0 ? vectors : count;
  launch(context, op, {blocks_for(items, kMapThreads, 1, kMapBlocks), kMapThreads}, map_at_step_kernel<T, F, Inputs...>,
         f, step, y, count, vectors, x...);
}

template <int Width, class T, class F, class... Inputs>  // Inputs: const T*
__global__ void __launch_bounds__(kMapThreads)
    map_columns_kernel(F f, const float* column,                                     // [columns]
                       unsigned columns, unsigned period, unsigned stride, T* y,     // [count]
                       std::int64_t count, std::int64_t vectors, const Inputs*... x  // [count] each
    ) {
  const unsigned thread = blockIdx.x * kMapThreads + threadIdx.x;
  if (thread < stride && thread < vectors) {
    float own[Width];
    unsigned c = thread % period * Width % columns;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      own[i] = column[c];
      c = c + 1 < columns ? c + 1 : 0;
    }
    for (std::int64_t v = thread; v < vectors; v += stride) {
      Vector<T, Width> result;
      const auto apply = [&](const auto&... in) {
#pragma unroll
        for (int i = 0; i < Width; ++i) {
          result.values[i] = from_float<T>(f(own[i], to_float(in.values[i])...));
        }
      };
      apply(load_vector<T, Width>(x + v * Width)...);
      store_vector(y + v * Width, result);
    }
  }
  const std::int64_t i = vectors * Width + thread;  // behind the last whole vector: fewer than Width elements
  if (i < count) {
    y[i] = from_float<T>(f(column[i % columns], to_float(x[i])...));
  }
}

// y[i] = f(column[i % columns], x[i]...) for i < count. F as above, with the column's number first.
template <class T, class F, class... Inputs>
void map_columns(CudaContext& context, const char* op, F f, const float* column, int columns, T* y, std::int64_t count,
                 const Inputs*... x) {
  const auto run = [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    const std::int64_t vectors = count / kWidth, period = columns / std::gcd(columns, kWidth);
    const std::int64_t most = std::max(kMapBlocks, (period + kMapThreads - 1) / kMapThreads);
    const unsigned blocks = blocks_for(vectors, kMapThreads, 1, most), threads = blocks * kMapThreads;
    const unsigned stride = threads >= vectors ? threads : threads - threads % static_cast<unsigned>(period);
    launch(context, op, {blocks, kMapThreads}, map_columns_kernel<kWidth, T, F, Inputs...>, f, column, columns, period,
           stride, y, count, vectors, x...);
  };
  constexpr int kMostColumns = 1 << 28;  // so that period * width fits into 32 bits
  if (all_aligned(y, x...) && columns <= kMostColumns) {
    run(std::integral_constant<int, kPerVector<T>>{});
  } else {
    run(std::integral_constant<int, 1>{});
  }
}

}  // namespace duel
