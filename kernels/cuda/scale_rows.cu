// Each row times a number of its own (contract: kernels/scale_rows.h). One thread takes 16 bytes of a row at a time
// where the pointers and the row's length allow it, else one element. Bytes moved: those of the arrays.
#include "kernels/scale_rows.h"

#include "kernels/arguments.h"
#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- kernels

template <int Width, class T, class... Addend>                                        // const T*, or none
__global__ void __launch_bounds__(kMapThreads) scale_rows_kernel(const float* scale,  // [rows]
                                                                 const T* x,          // [rows, Width row_vectors]
                                                                 T* y,                // as x
                                                                 std::int64_t row_vectors, std::int64_t vectors,
                                                                 const Addend*... addend) {  // as x
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t v = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; v < vectors; v += stride) {
    const float factor = scale[v / row_vectors];
    const Vector<T, Width> own = load_vector<T, Width>(x + v * Width);
    Vector<T, Width> result;
    const auto apply = [&](const auto&... behind) {
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        result.values[i] = from_float<T>(((factor * to_float(own.values[i])) + ... + to_float(behind.values[i])));
      }
    };
    apply(load_vector<T, Width>(addend + v * Width)...);
    store_vector(y + v * Width, result);
  }
}

// ---- launchers

namespace {

template <class T, class... Addend>
void launch_with_width(CudaContext& context, View scale, View x, View y, const Addend*... addend) {
  const auto run = [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    const std::int64_t row_vectors = x.shape.row_count() / kWidth, vectors = x.count() / kWidth;
    launch(context, "scale_rows", {blocks_for(vectors, kMapThreads, 1, kMapBlocks), kMapThreads},
           scale_rows_kernel<kWidth, T, Addend...>, scale.as<const float>(), x.as<const T>(), y.as<T>(), row_vectors,
           vectors, addend...);
  };
  if (x.shape.row_count() % kPerVector<T> == 0 && all_aligned(x.data, y.data, addend...)) {
    run(std::integral_constant<int, kPerVector<T>>{});
  } else {
    run(std::integral_constant<int, 1>{});
  }
}

}  // namespace

void scale_rows(CudaContext& context, View scale, View x, View addend, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    if (is_present(addend)) {
      launch_with_width<T>(context, scale, x, y, addend.as<const T>());
    } else {
      launch_with_width<T>(context, scale, x, y);
    }
  });
}

}  // namespace duel
