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
//   base()       the array's beginning
//   kOverlaps    whether the rows of the matrix share many of their elements
//   vectorised   16 bytes from at(o, i) on lie in one row or column, wholly inside or outside, and are aligned
//
// Where the extents allow it (`walks`), a kernel decodes its first step alone and then walks: neighbouring steps of
// `depth` sums differ by the same offset for every element, but for a test that depends on the tap of the filter. Then
// an operand also has
//
//   walks(depth)       whether every step of `depth` sums, the first of which begins at a multiple of it, is whole and
//                      lies in one tap
//   place(i, k)        of an element: its address but for the step's offset, and in which taps it is inside (a bit
//   each) cursor(k)          of a step, the same for all elements: offset and tap; advance() takes it to the next step
#pragma once

#include "kernels/cuda/conv2d_shape.h"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"

#include <algorithm>

namespace duel {

// An element of an operand that is walked through.
template <class T>
struct Place {
  const T* from;  // in the step whose offset is 0; may lie outside the array where no tap is inside
  unsigned taps;  // bit t: inside where the step lies in tap t
};
inline constexpr int kWalkedTaps = 32;

// A(i,k) = data[i * stride + k], or data[k * stride + i] where AlongK is false.
template <class T, bool AlongK>
struct Matrix {
  using Element = T;
  static constexpr bool kAlongK = AlongK;
  static constexpr bool kOverlaps = false;
  static constexpr bool kStepsArePixels = false;

  const T* data;  // [outer, stride] or [inner, stride]
  int outer_extent, inner_extent;
  std::int64_t stride;
  bool vectorised;

  Matrix(const View& view, int outer, int inner)
      : data(view.as<const T>()), outer_extent(outer), inner_extent(inner), stride(AlongK ? inner : outer) {
    vectorised = all_aligned(data) && stride % kPerVector<T> == 0;
  }

  __device__ __forceinline__ const T* base() const { return data; }

  using Outer = std::int64_t;  // offset, or -1
  using Inner = std::int64_t;
  __device__ __forceinline__ Outer outer(int i) const { return i >= outer_extent ? -1 : AlongK ? i * stride : i; }
  __device__ __forceinline__ Inner inner(int k) const { return k >= inner_extent ? -1 : AlongK ? k : k * stride; }
  __device__ __forceinline__ const T* at(Outer o, Inner i) const { return o < 0 || i < 0 ? nullptr : data + o + i; }

  bool walks(int depth) const { return inner_extent > 0 && inner_extent % depth == 0; }
  struct Cursor {
    std::int64_t offset;
    static constexpr int tap = 0;
  };
  __device__ __forceinline__ Place<T> place(int i, int k) const {
    return {data + (AlongK ? i * stride + k : k * stride + i), i < outer_extent ? 1U : 0U};
  }
  __device__ __forceinline__ Cursor cursor(int k) const { return {AlongK ? k : k * stride}; }
  __device__ __forceinline__ void advance(Cursor& cursor, int depth) const {
    cursor.offset += AlongK ? depth : depth * stride;
  }
};

// The pictures' patches: X(pixel, (r,s,c)) = x[n, p*stride+r-pad_top, q*stride+s-pad_left, c], pixel = (n,p,q). Forward
// they are A, along k; for the weight's gradient B(i,k) = X(k,i), along the outer index.
template <class T, bool AlongK>
struct Patches {
  using Element = T;
  static constexpr bool kAlongK = AlongK;
  static constexpr bool kOverlaps = AlongK;
  static constexpr bool kStepsArePixels = !AlongK;

  const T* x;  // [N,H,W,C]
  int H, W, C, R, S, P, Q, stride, pad_top, pad_left;
  int pixels, taps;  // N*P*Q, R*S*C
  Divider by_pq, by_q, by_sc, by_c;
  bool vectorised;

  Patches(const View& view, const ConvShape& s)
      : x(view.as<const T>()),
        H(s.H),
        W(s.W),
        C(s.C),
        R(s.R),
        S(s.S),
        P(s.P),
        Q(s.Q),
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

  __device__ __forceinline__ const T* base() const { return x; }

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

  // Along k, a step lies in one tap. Along the outer index a step is of pixels, and PixelWalk (reach.cuh) walks.
  bool walks(int depth) const {
    return AlongK ? C % depth == 0 && std::int64_t{R} * S <= kWalkedTaps : pixels % depth == 0;
  }
  struct Cursor {
    std::int64_t offset;
    int tap, s, c;
  };
  __device__ __forceinline__ Place<T> place(int i, int k) const {
    const Pixel from = pixel(i);
    unsigned inside = 0;
    for (int r = 0, bit = 0; r < R; ++r) {
      const bool is_row = from.picture >= 0 && from.h + r >= 0 && from.h + r < H;
      for (int s = 0; s < S; ++s, ++bit) {
        inside |= is_row && from.w + s >= 0 && from.w + s < W ? 1U << bit : 0U;
      }
    }
    return {x + max(from.picture, std::int64_t{0}) + (std::int64_t{from.h} * W + from.w) * C + k, inside};
  }
  __device__ __forceinline__ Cursor cursor(int k) const {
    const Tap first = tap(k);
    return {(std::int64_t{first.r} * W + first.s) * C + first.c, first.r * S + first.s, first.s, first.c};
  }
  __device__ __forceinline__ void advance(Cursor& cursor, int depth) const {
    cursor.offset += depth;
    cursor.c += depth;
    if (cursor.c == C) {  // the next pixel of the row, which lies behind this one
      cursor.c = 0;
      ++cursor.tap;
      if (++cursor.s == S) {
        cursor.s = 0;
        cursor.offset += std::int64_t{W - S} * C;
      }
    }
  }
};

// dY(pixel, (r,s,k)) = dy[n, (h+pad_top-r)/stride, (w+pad_left-s)/stride, k], over the class's pixels (n,i,j) and taps.
template <class T>
struct GradientPatches {
  using Element = T;
  static constexpr bool kAlongK = true;
  static constexpr bool kOverlaps = true;
  static constexpr bool kStepsArePixels = false;

  const T* dy;  // [N,P,Q,K]
  int P, Q, K, first_p, first_q, taps_r, taps_s;
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
        taps_r(c.taps_r),
        taps_s(c.taps_s),
        pixels(s.N * c.rows * c.columns),
        taps(c.taps_r * c.taps_s * s.K),
        by_ij(std::max(1, c.rows * c.columns)),
        by_j(std::max(1, c.columns)),
        by_sk(std::max(1, c.taps_s * s.K)),
        by_k(s.K) {
    vectorised = all_aligned(dy) && K % kPerVector<T> == 0;
  }

  __device__ __forceinline__ const T* base() const { return dy; }

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

  bool walks(int depth) const { return taps > 0 && K % depth == 0 && std::int64_t{taps_r} * taps_s <= kWalkedTaps; }
  struct Cursor {
    std::int64_t offset;
    int tap, s, k;
  };
  __device__ __forceinline__ Place<T> place(int index, int k) const {
    const Outer from = outer(index);
    unsigned inside = 0;
    for (int r = 0, bit = 0; r < taps_r; ++r) {
      const bool is_row = from.picture >= 0 && from.p - r >= 0 && from.p - r < P;
      for (int s = 0; s < taps_s; ++s, ++bit) {
        inside |= is_row && from.q - s >= 0 && from.q - s < Q ? 1U << bit : 0U;
      }
    }
    return {dy + max(from.picture, std::int64_t{0}) + (std::int64_t{from.p} * Q + from.q) * K + k, inside};
  }
  __device__ __forceinline__ Cursor cursor(int index) const {
    const Inner first = inner(index);
    return {first.k - (std::int64_t{first.r} * Q + first.s) * K, first.r * taps_s + first.s, first.s, first.k};
  }
  __device__ __forceinline__ void advance(Cursor& cursor, int depth) const {
    cursor.offset += depth;
    cursor.k += depth;
    if (cursor.k == K) {  // the pixel before this one
      cursor.k = 0;
      cursor.offset -= 2 * std::int64_t{K};
      ++cursor.tap;
      if (++cursor.s == taps_s) {
        cursor.s = 0;
        cursor.offset += std::int64_t{taps_s - Q} * K;
      }
    }
  }
};

// W(c, (r,s,k)) = w[k, r, s, c], over the class's taps.
template <class T>
struct GradientFilter {
  using Element = T;
  static constexpr bool kAlongK = false;
  static constexpr bool kOverlaps = false;
  static constexpr bool kStepsArePixels = false;

  const T* w;  // [K,R,S,C]
  int C, S, K, first_r, first_s, stride, taps_s;
  int taps;
  std::int64_t filter;  // R*S*C
  Divider by_sk, by_k;
  bool vectorised;

  GradientFilter(const View& view, const ConvShape& s, const GradientClass& c)
      : w(view.as<const T>()),
        C(s.C),
        S(s.S),
        K(s.K),
        first_r(c.first_r),
        first_s(c.first_s),
        stride(s.stride),
        taps_s(c.taps_s),
        taps(c.taps_r * c.taps_s * s.K),
        filter(std::int64_t{s.R} * s.S * s.C),
        by_sk(std::max(1, c.taps_s * s.K)),
        by_k(s.K) {
    vectorised = all_aligned(w) && C % kPerVector<T> == 0;
  }

  __device__ __forceinline__ const T* base() const { return w; }

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

  bool walks(int depth) const { return taps > 0 && K % depth == 0; }
  struct Cursor {
    std::int64_t offset;
    int s, k;
    static constexpr int tap = 0;
  };
  __device__ __forceinline__ Place<T> place(int c, int k) const { return {w + k * filter + c, c < C ? 1U : 0U}; }
  __device__ __forceinline__ Cursor cursor(int index) const {
    const int r = by_sk.quotient(index), sk = by_sk.remainder(index, r), s = by_k.quotient(sk);
    return {inner(index), s, by_k.remainder(sk, s)};
  }
  __device__ __forceinline__ void advance(Cursor& cursor, int depth) const {
    cursor.offset += depth * filter;
    cursor.k += depth;
    if (cursor.k == K) {  // the class's next tap
      cursor.k = 0;
      cursor.offset += std::int64_t{stride} * C - K * filter;
      if (++cursor.s == taps_s) {
        cursor.s = 0;
        cursor.offset += std::int64_t{stride} * (S - taps_s) * C;
      }
    }
  }
};

}  // namespace duel
