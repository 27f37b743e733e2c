// How one thread finds its elements of an operand (operands.cuh) in step after step of a matrix product. A Layout says
// which they are: `kCopies` of them (or of vectors, of which they are the first elements), number i at outer(i) and, of
// the step's sums, at k(i). Of an operand along k all have one k, of one along the outer index one outer.
//
//   Lookup       any operand, any extents: decodes every k of every step
//   Walk         operands that `walks`: decodes the first step alone, and then adds what lies between two steps
//   PixelWalk    the patches of a weight's gradient, whose steps are of pixels, each with a place of its own
//
// All three: at(i), where the element lies in the present step; advance(), to the next step.
#pragma once

#include "kernels/cuda/operands.cuh"

namespace duel {

// Outside, `from` is no address to read from, but one that an instruction which reads nothing may be given.
template <class T>
struct Element {
  const T* from;
  bool inside;
};

template <class OperandType, class Layout, int Depth>
struct Lookup {
  using Operand = OperandType;
  using T = typename Operand::Element;
  static constexpr bool kAlongK = Operand::kAlongK;

  const Operand& operand;
  int k;
  typename Operand::Outer outer[kAlongK ? Layout::kCopies : 1];
  typename Operand::Inner inner;  // along k: of the present step

  __device__ __forceinline__ Lookup(const Operand& from, int first_outer, int first_k) : operand(from), k(first_k) {
#pragma unroll
    for (int i = 0; i < (kAlongK ? Layout::kCopies : 1); ++i) {
      outer[i] = operand.outer(first_outer + Layout::outer(i));
    }
    if constexpr (kAlongK) {
      inner = operand.inner(k + Layout::k(0));
    }
  }
  __device__ __forceinline__ Element<T> at(int i) const {
    const T* from = nullptr;
    if constexpr (kAlongK) {
      from = operand.at(outer[i], inner);
    } else {
      from = operand.at(outer[0], operand.inner(k + Layout::k(i)));
    }
    return {from != nullptr ? from : operand.base(), from != nullptr};
  }
  __device__ __forceinline__ void advance() {
    k += Depth;
    if constexpr (kAlongK) {
      inner = operand.inner(k + Layout::k(0));
    }
  }
};

template <class OperandType, class Layout, int Depth>
struct Walk {
  using Operand = OperandType;
  using T = typename Operand::Element;

  const Operand& operand;
  Place<T> places[Layout::kCopies];
  typename Operand::Cursor cursor;

  __device__ __forceinline__ Walk(const Operand& from, int first_outer, int first_k)
      : operand(from), cursor(from.cursor(first_k)) {
#pragma unroll
    for (int i = 0; i < Layout::kCopies; ++i) {
      places[i] = operand.place(first_outer + Layout::outer(i), Layout::k(i));
    }
  }
  __device__ __forceinline__ Element<T> at(int i) const {
    return {places[i].from + cursor.offset, (places[i].taps >> cursor.tap & 1U) != 0};
  }
  __device__ __forceinline__ void advance() {
    operand.advance(cursor, Depth);
  }
};

template <class OperandType, class Layout, int Depth>
struct PixelWalk {
  using Operand = OperandType;  // Patches<T, false>
  using T = typename Operand::Element;

  const Operand& operand;
  bool is_tap;             // whether this thread's outer index is a tap
  int end_h, end_w;        // of the pixels' h and w: those of the picture's last row and column, and one stride
  int h[Layout::kCopies];  // of the element in the picture, also where it is outside
  int w[Layout::kCopies];
  const T* from[Layout::kCopies];

  __device__ __forceinline__ PixelWalk(const Operand& patches, int first_outer, int first_k) : operand(patches) {
    const typename Operand::Tap tap = operand.tap(first_outer + Layout::outer(0));
    is_tap = tap.r >= 0;
    end_h = operand.P * operand.stride - operand.pad_top + tap.r;
    end_w = operand.Q * operand.stride - operand.pad_left + tap.s;
#pragma unroll
    for (int i = 0; i < Layout::kCopies; ++i) {
      const typename Operand::Pixel pixel = operand.pixel(first_k + Layout::k(i));
      h[i] = pixel.h + tap.r;
      w[i] = pixel.w + tap.s;
      from[i] = operand.x + pixel.picture + (std::int64_t{h[i]} * operand.W + w[i]) * operand.C + tap.c;
    }
  }
  __device__ __forceinline__ Element<T> at(int i) const {
    const bool inside = is_tap && static_cast<unsigned>(h[i]) < static_cast<unsigned>(operand.H) &&
                        static_cast<unsigned>(w[i]) < static_cast<unsigned>(operand.W);
    return {from[i], inside};
  }
  // Depth pixels further on: so many pictures, rows and columns, and one more of the greater where the lesser is full.
  __device__ __forceinline__ void advance() {
    const int pictures = operand.by_pq.quotient(Depth), rest = operand.by_pq.remainder(Depth, pictures),
              rows = operand.by_q.quotient(rest), columns = operand.by_q.remainder(rest, rows);
    const std::int64_t line = std::int64_t{operand.W} * operand.C, picture = operand.H * line;
    const int stride = operand.stride, row = operand.Q * stride;  // of a row of pixels, in w
    const std::int64_t step = pictures * picture + rows * stride * line + std::int64_t{columns} * stride * operand.C;
#pragma unroll
    for (int i = 0; i < Layout::kCopies; ++i) {
      from[i] += step;
      h[i] += rows * stride;
      w[i] += columns * stride;
      if (w[i] >= end_w) {
        w[i] -= row;
        h[i] += stride;
        from[i] += stride * line - std::int64_t{row} * operand.C;
      }
      if (h[i] >= end_h) {
        h[i] -= operand.P * stride;
        from[i] += picture - std::int64_t{operand.P} * stride * line;
      }
    }
  }
};

// How an operand is walked through.
template <class Operand, class Layout, int Depth>
struct WalkOf {
  using Type = Walk<Operand, Layout, Depth>;
};
template <class T, class Layout, int Depth>
struct WalkOf<Patches<T, false>, Layout, Depth> {
  using Type = PixelWalk<Patches<T, false>, Layout, Depth>;
};

template <bool Walks, class Operand, class Layout, int Depth>
using Reach = std::conditional_t<Walks, typename WalkOf<Operand, Layout, Depth>::Type, Lookup<Operand, Layout, Depth>>;

}  // namespace duel
