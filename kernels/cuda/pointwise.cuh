// Maps: y[i] = f(x[i]...) over arrays of one length, for operators that read each element once.
//
// One thread takes 16 bytes of every array at a time (four floats, eight bf16) and loops over the grid; the elements
// behind the last whole vector, and arrays that are not aligned to 16 bytes, go one by one. Inputs and output may be
// the same array: every element is read by the thread that writes it, before it does. Bytes moved: those of the arrays.
#pragma once

#include "kernels/cuda/device.cuh"

namespace duel {

inline constexpr int kMapThreads = 256;

template <class T, class F, class... Inputs>                          // Inputs: const T*
__global__ void __launch_bounds__(kMapThreads) map_kernel(F f, T* y,  // [count]
                                                          std::int64_t count,
                                                          std::int64_t vectors,  // count / kPerVector, or 0: unaligned
                                                          const Inputs*... x) {  // [count] each
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

// y[i] = f(x[i]...) for i < count. F is a struct with a __device__ operator() from floats to a float.
template <class T, class F, class... Inputs>
void map(CudaContext& context, const char* op, F f, T* y, std::int64_t count, const Inputs*... x) {
  const std::int64_t vectors = all_aligned(y, x...) ? count / kPerVector<T> : 0;
  const std::int64_t items = vectors > 0 ? vectors : count;
  launch(context, op, {blocks_for(items, kMapThreads), kMapThreads}, map_kernel<T, F, Inputs...>, f, y, count, vectors,
         x...);
}

}  // namespace duel
