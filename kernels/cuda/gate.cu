// One half of the columns times the other (contract: kernels/gate.h). One thread takes 16 bytes of both halves of a row
// at a time where the pointers and C allow it, else one element. Bytes moved: those of the arrays.
#include "kernels/gate.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- kernels

template <int Width, class T>
__global__ void __launch_bounds__(kMapThreads) gate_kernel(const T* x,                        // [rows, 2, half]
                                                           T* y,                              // [rows, half]
                                                           int half, std::int64_t vectors) {  // of y
  const int of_row = half / Width;
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t v = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; v < vectors; v += stride) {
    const std::int64_t row = v / of_row;
    const T* const from = x + (v + row * of_row) * Width;
    const Vector<T, Width> a = load_vector<T, Width>(from), b = load_vector<T, Width>(from + half);
    Vector<T, Width> product;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      product.values[i] = from_float<T>(to_float(a.values[i]) * to_float(b.values[i]));
    }
    store_vector(y + v * Width, product);
  }
}

template <int Width, class T>
__global__ void __launch_bounds__(kMapThreads) gate_backward_kernel(const T* dy,  // [rows, half]
                                                                    const T* x,   // [rows, 2, half]
                                                                    T* dx,        // [rows, 2, half]
                                                                    int half, std::int64_t vectors) {  // of dy
  const int of_row = half / Width;
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t v = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; v < vectors; v += stride) {
    const std::int64_t row = v / of_row, first = (v + row * of_row) * Width;
    const Vector<T, Width> a = load_vector<T, Width>(x + first), b = load_vector<T, Width>(x + first + half);
    const Vector<T, Width> gradient = load_vector<T, Width>(dy + v * Width);
    Vector<T, Width> by_a, by_b;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      by_a.values[i] = from_float<T>(to_float(gradient.values[i]) * to_float(b.values[i]));
      by_b.values[i] = from_float<T>(to_float(gradient.values[i]) * to_float(a.values[i]));
    }
    store_vector(dx + first, by_a);
    store_vector(dx + first + half, by_b);
  }
}

// ---- launchers

namespace {

// Calls `call` with the element type and the elements that a thread takes at once.
template <class Call, class... Pointers>
void with_width(DType dtype, int half, const Call& call, Pointers... pointers) {
  with_float_type(dtype, [&](auto element) {
    constexpr int kWidth = kPerVector<decltype(element)>;
    if (half % kWidth == 0 && all_aligned(pointers...)) {
      call(element, std::integral_constant<int, kWidth>{});
    } else {
      call(element, std::integral_constant<int, 1>{});
    }
  });
}

}  // namespace

void gate(CudaContext& context, View x, View y) {
  const int half = y.shape.back();
  with_width(
      x.dtype, half,
      [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int kWidth = decltype(width)::value;
        const std::int64_t vectors = y.count() / kWidth;
        launch(context, "gate", {blocks_for(vectors, kMapThreads, 1, kMapBlocks), kMapThreads}, gate_kernel<kWidth, T>,
               x.as<const T>(), y.as<T>(), half, vectors);
      },
      x.data, y.data);
}

void gate_backward(CudaContext& context, View dy, View x, View dx) {
  const int half = dy.shape.back();
  with_width(
      x.dtype, half,
      [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int kWidth = decltype(width)::value;
        const std::int64_t vectors = dy.count() / kWidth;
        launch(context, "gate_backward", {blocks_for(vectors, kMapThreads, 1, kMapBlocks), kMapThreads},
               gate_backward_kernel<kWidth, T>, dy.as<const T>(), x.as<const T>(), dx.as<T>(), half, vectors);
      },
      dy.data, x.data, dx.data);
}

}  // namespace duel
