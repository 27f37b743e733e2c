// What a matrix product reads: matrices, and the matrices that a convolution is a product of without their ever being
// written down (implicit GEMM; Chetlur et al., "cuDNN: efficient primitives for deep learning", 2014, section 3).
//
// An operand is a matrix of `outer` rows by `inner` sums: A(m,k) or B(n,k). It tells where an element lies, in steps
// that a kernel can take out of its loops:
//
//   kAlongK      whether neighbours in k (true) or in the outer index (false) are neighbours in memory
//   outer(i)     decodes an outer index; an index beyond the extent gives one whose every element is outside
//   inner(k)     decodes a k, likewise
//   at(o, i)     the element's address, or null where it is outside: it counts as zero
//   vectorised   16 bytes from at(o, i) on lie in one row or column, wholly inside or outside, and are aligned
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"

#include <algorithm>

namespace duel {

// A(i,k) = data[i * stride + k], or data[k * stride + i] where AlongK is false.
template <class T, bool AlongK>
struct Matrix {
  using Element = T;
  static constexpr bool kAlongK = AlongK;

  const T* data;  // [outer, stride] or [inner, stride]
  int outer_extent, inner_extent;
  std::int64_t stride;
  bool vectorised;

  Matrix(const View& view, int outer, int inner)
      : data(view.as<const T>()), outer_extent(outer), inner_extent(inner), stride(AlongK ? inner : outer) {
    vectorised = all_aligned(data) && stride % kPerVector<T> == 0;
  }

  using Outer = std::int64_t;  // offset, or -1
  using Inner = std::int64_t;
  __device__ __forceinline__ Outer outer(int i) const { return i >= outer_extent ? -1 : AlongK ? i * stride : i; }
  __device__ __forceinline__ Inner inner(int k) const { return k >= inner_extent ? -1 : AlongK ? k : k * stride; }
  __device__ __forceinline__ const T* at(Outer o, Inner i) const { return o < 0 || i < 0 ? nullptr : data + o + i; }
};

// The extents of a convolution and the divisions that its indices need.
struct ConvShape {
  int N, H, W, C, K, R, S, P, Q, stride, pad_top, pad_left;

  ConvShape(const Conv2d& conv, const Shape& x, const Shape& w, const Shape& y)
      : N(x[0]),
        H(x[1]),
        W(x[2]),
        C(x[3]),
        K(w[0]),
        R(w[1]),
        S(w[2]),
        P(y[1]),
        Q(y[2]),
        stride(conv.stride),
        pad_top(conv.pad_top),
        pad_left(conv.pad_left) {}
};

// The pictures' patches: X(pixel, (r,s,c)) = x[n, p*stride+r-pad_top, q*stride+s-pad_left, c], pixel = (n,p,q). Forward
// they are A, along k; for the weight's gradient B(i,k) = X(k,i), along the outer index.
template <class T, bool AlongK>
struct Patches {
  using Element = T;
  static constexpr bool kAlongK = AlongK;

  const T* x;  // [N,H,W,C]
  int H, W, C, stride, pad_top, pad_left;
  int pixels, taps;  // N*P*Q, R*S*C
  Divider by_pq, by_q, by_sc, by_c;
  bool vectorised;

  Patches(const View& view, const ConvShape& s)
      : x(view.as<const T>()),
        H(s.H),
        W(s.W),
        C(s.C),
        stride(s.stride),
        pad_top(s.pad_top),
        pad_left(s.pad_left),
        pixels(s.N * s.P * s.Q),
        taps(s.R * s.S * s.C),
        by_pq(s.P * s.Q),
        by_q(s.Q),
        by_sc(s.S * s.C),
        by_c(s.C) {
    vectorised = all_aligned(x) && C % kPerVector<T> == 0;
  }

  struct Pixel {
    std::int64_t picture;  // offset, or -1
    int h, w;              // of the patch's corner
  };
  struct Tap {
    int r, s, c;  // r is -1 outside
  };
  using Outer = std::conditional_t<AlongK, Pixel, Tap>;
  using Inner = std::conditional_t<AlongK, Tap, Pixel>;

  __device__ __forceinline__ Pixel pixel(int i) const {
    if (i >= pixels) {
      return {-1, 0, 0};
    }
    const int n = by_pq.quotient(i), pq = by_pq.remainder(i, n), p = by_q.quotient(pq), q = by_q.remainder(pq, p);
    return {std::int64_t{n} * H * W * C, p * stride - pad_top, q * stride - pad_left};
  }
  __device__ __forceinline__ Tap tap(int i) const {
    if (i >= taps) {
      return {-1, 0, 0};
    }
    const int r = by_sc.quotient(i), sc = by_sc.remainder(i, r), s = by_c.quotient(sc), c = by_c.remainder(sc, s);
    return {r, s, c};
  }
  __device__ __forceinline__ const T* element(const Pixel& pixel, const Tap& tap) const {
    const int h = pixel.h + tap.r, w = pixel.w + tap.s;
    const bool inside = pixel.picture >= 0 && tap.r >= 0 && h >= 0 && h < H && w >= 0 && w < W;
    return inside ? x + pixel.picture + (std::int64_t{h} * W + w) * C + tap.c : nullptr;
  }

  __device__ __forceinline__ Outer outer(int i) const {
    if constexpr (AlongK) {
      return pixel(i);
    } else {
      return tap(i);
    }
  }
  __device__ __forceinline__ Inner inner(int k) const {
    if constexpr (AlongK) {
      return tap(k);
    } else {
      return pixel(k);
    }
  }
  __device__ __forceinline__ const T* at(const Outer& o, const Inner& i) const {
    if constexpr (AlongK) {
      return element(o, i);
    } else {
      return element(i, o);
    }
  }
};

// For the input's gradient. With a stride, pixels of x fall into stride*stride classes by (h+pad_top) % stride and
// (w+pad_left) % stride, and only the taps r of h's remainder, s of w's, ever meet a pixel of the class: each class is
// a product of its own, without the zeros that a dilated dy would be full of.
struct GradientClass {
  int first_h, first_w;  // of the class: h = first_h + stride * i
  int rows, columns;     // how many i, j
  int first_r, first_s;  // r = first_r + stride * j
  int taps_r, taps_s;

  GradientClass(const ConvShape& s, int h_remainder, int w_remainder)
      : first_h(first(h_remainder, s.pad_top, s.stride)),
        first_w(first(w_remainder, s.pad_left, s.stride)),
        rows(count(first_h, s.H, s.stride)),
        columns(count(first_w, s.W, s.stride)),
        first_r(h_remainder),
        first_s(w_remainder),
        taps_r(count(first_r, s.R, s.stride)),
        taps_s(count(first_s, s.S, s.stride)) {}

  // The least h >= 0 with (h + pad) % stride == remainder.
  static int first(int remainder, int pad, int stride) { return ((remainder - pad) % stride + stride) % stride; }
  static int count(int first, int extent, int stride) {
    return first >= extent ? 0 : (extent - first - 1) / stride + 1;
  }
};

// dY(pixel, (r,s,k)) = dy[n, (h+pad_top-r)/stride, (w+pad_left-s)/stride, k], over the class's pixels (n,i,j) and taps.
template <class T>
struct GradientPatches {
  using Element = T;
  static constexpr bool kAlongK = true;

  const T* dy;  // [N,P,Q,K]
  int P, Q, K, first_p, first_q;
  int pixels, taps;
  Divider by_ij, by_j, by_sk, by_k;
  bool vectorised;

  GradientPatches(const View& view, const ConvShape& s, const GradientClass& c)
      : dy(view.as<const T>()),
        P(s.P),
        Q(s.Q),
        K(s.K),
        first_p((c.first_h + s.pad_top - c.first_r) / s.stride),
        first_q((c.first_w + s.pad_left - c.first_s) / s.stride),
        pixels(s.N * c.rows * c.columns),
        taps(c.taps_r * c.taps_s * s.K),
        by_ij(std::max(1, c.rows * c.columns)),
        by_j(std::max(1, c.columns)),
        by_sk(std::max(1, c.taps_s * s.K)),
        by_k(s.K) {
    vectorised = all_aligned(dy) && K % kPerVector<T> == 0;
  }

  struct Outer {
    std::int64_t picture;  // offset, or -1
    int p, q;              // at the class's first tap; one less for each further one
  };
  struct Inner {
    int r, s, k;  // taps of the class; r is -1 outside
  };
  __device__ __forceinline__ Outer outer(int index) const {
    if (index >= pixels) {
      return {-1, 0, 0};
    }
    const int n = by_ij.quotient(index), ij = by_ij.remainder(index, n), i = by_j.quotient(ij),
              j = by_j.remainder(ij, i);
    return {std::int64_t{n} * P * Q * K, first_p + i, first_q + j};
  }
  __device__ __forceinline__ Inner inner(int index) const {
    if (index >= taps) {
      return {-1, 0, 0};
    }
    const int r = by_sk.quotient(index), sk = by_sk.remainder(index, r), s = by_k.quotient(sk),
              k = by_k.remainder(sk, s);
    return {r, s, k};
  }
  __device__ __forceinline__ const T* at(const Outer& o, const Inner& i) const {
    const int p = o.p - i.r, q = o.q - i.s;
    const bool inside = o.picture >= 0 && i.r >= 0 && p >= 0 && p < P && q >= 0 && q < Q;
    return inside ? dy + o.picture + (std::int64_t{p} * Q + q) * K + i.k : nullptr;
  }
};

// W(c, (r,s,k)) = w[k, r, s, c], over the class's taps.
template <class T>
struct GradientFilter {
  using Element = T;
  static constexpr bool kAlongK = false;

  const T* w;  // [K,R,S,C]
  int C, S, first_r, first_s, stride;
  int taps;
  std::int64_t filter;  // R*S*C
  Divider by_sk, by_k;
  bool vectorised;

  GradientFilter(const View& view, const ConvShape& s, const GradientClass& c)
      : w(view.as<const T>()),
        C(s.C),
        S(s.S),
        first_r(c.first_r),
        first_s(c.first_s),
        stride(s.stride),
        taps(c.taps_r * c.taps_s * s.K),
        filter(std::int64_t{s.R} * s.S * s.C),
        by_sk(std::max(1, c.taps_s * s.K)),
        by_k(s.K) {
    vectorised = all_aligned(w) && C % kPerVector<T> == 0;
  }

  using Outer = int;           // c, or -1
  using Inner = std::int64_t;  // offset, or -1
  __device__ __forceinline__ Outer outer(int c) const { return c < C ? c : -1; }
  __device__ __forceinline__ Inner inner(int index) const {
    if (index >= taps) {
      return -1;
    }
    const int r = by_sk.quotient(index), sk = by_sk.remainder(index, r), s = by_k.quotient(sk),
              k = by_k.remainder(sk, s);
    return k * filter + (std::int64_t{first_r + stride * r} * S + first_s + stride * s) * C;
  }
  __device__ __forceinline__ const T* at(Outer o, Inner i) const { return o < 0 || i < 0 ? nullptr : w + i + o; }
};

}  // namespace duel
