// What happens to a finished sum: bias, activation, rounding to the output's type, and where it goes.
#pragma once

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/operands.cuh"

namespace duel {

// Row m of the product is row m of y.
struct PlainRows {
  __device__ __forceinline__ std::int64_t operator()(int m) const { return m; }
};

// Row m is a pixel of the class: dx's pixel (n, first_h + stride*i, first_w + stride*j).
struct ClassRows {
  int H, W, first_h, first_w, stride;
  Divider by_ij, by_j;

  ClassRows(const ConvShape& s, const GradientClass& c)
      : H(s.H),
        W(s.W),
        first_h(c.first_h),
        first_w(c.first_w),
        stride(s.stride),
        by_ij(std::max(1, c.rows * c.columns)),
        by_j(std::max(1, c.columns)) {}
  __device__ __forceinline__ std::int64_t operator()(int m) const {
    const int n = by_ij.quotient(m), ij = by_ij.remainder(m, n), i = by_j.quotient(ij), j = by_j.remainder(ij, i);
    return (std::int64_t{n} * H + first_h + stride * i) * W + first_w + stride * j;
  }
};

// y[row(m), n] = act(sum + bias[n])
template <class Rows>
struct Epilogue {
  Rows row;
  void* y;  // [rows, n], f32 or bf16
  bool to_bf16;
  const float* bias;  // [n] or null
  ActivationKind kind;
  float slope;
  int m, n;            // extents of the product
  bool takes_vectors;  // whether four neighbours in a row may be stored at once

  Epilogue(const Rows& rows, const View& view, const View& bias_view, const Activation& activation, int m_extent,
           int n_extent)
      : row(rows),
        y(view.data),
        to_bf16(view.dtype == DType::bf16),
        bias(bias_view.as<const float>()),
        kind(activation.kind),
        slope(activation.slope),
        m(m_extent),
        n(n_extent),
        takes_vectors(n_extent % 4 == 0 && all_aligned(view.data)) {}

  // To be read for all columns of a thread before the first store, behind which the compiler would leave each: y might
  // be the bias, for all it knows.
  __device__ __forceinline__ float bias_at(int column) const {
    return bias != nullptr && column < n ? bias[column] : 0.0F;
  }
  __device__ __forceinline__ float finished(float sum) const { return activated(kind, slope, sum); }
  // Here and below: sums that the bias has been added to.
  __device__ __forceinline__ void store(int m_index, int column, float sum) const {
    if (m_index >= m || column >= n) {
      return;
    }
    const std::int64_t offset = row(m_index) * n + column;
    const float value = finished(sum);
    if (to_bf16) {
      static_cast<Bf16*>(y)[offset] = from_float<Bf16>(value);
    } else {
      static_cast<float*>(y)[offset] = value;
    }
  }
  // `Width` neighbours in a row, which n is a multiple of, aligned as a vector of them.
  template <int Width>
  __device__ __forceinline__ void store_vector(int m_index, int column, const float (&sums)[Width]) const {
    if (m_index >= m || column >= n) {
      return;
    }
    const std::int64_t offset = row(m_index) * n + column;
    if (to_bf16) {
      Vector<Bf16, Width> vector;
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        vector.values[i] = from_float<Bf16>(finished(sums[i]));
      }
      duel::store_vector(static_cast<Bf16*>(y) + offset, vector);
    } else {
      Vector<float, Width> vector;
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        vector.values[i] = finished(sums[i]);
      }
      duel::store_vector(static_cast<float*>(y) + offset, vector);
    }
  }
  // Two neighbours in a row, `column` even: in one store where the row begins at an even element.
  __device__ __forceinline__ void store_pair(int m_index, int column, float first, float second) const {
    if (m_index >= m || n % 2 != 0) {
      store(m_index, column, first);
      store(m_index, column + 1, second);
    } else if (column < n) {
      const std::int64_t offset = row(m_index) * n + column;
      const float a = finished(first), b = finished(second);
      if (to_bf16) {
        *reinterpret_cast<__nv_bfloat162*>(static_cast<Bf16*>(y) + offset) =
            __halves2bfloat162(from_float<Bf16>(a), from_float<Bf16>(b));
      } else {
        *reinterpret_cast<float2*>(static_cast<float*>(y) + offset) = make_float2(a, b);
      }
    }
  }
};

}  // namespace duel
