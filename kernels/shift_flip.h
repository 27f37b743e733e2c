// Each picture of a batch moved by a few whole pixels, and perhaps mirrored, by numbers of its own: augmentation that
// costs one pass over the batch. With (down, right, is_flipped) of picture n at the step, from picture_move below,
//
//   shift_flip           y[n,h,w,c]  = m[n,h-down,w-right,c],  m[n,h,w,c] = x[n,h,F(w),c]
//                        F(w) = W-1-w where it is mirrored, else w
//                        beyond m: p.value, or where p.edge is border m's nearest pixel
//   shift_flip_backward  dx[n,h,w,c] = dy[n,h+down,F(w)+right,c], beyond dy 0: where p.edge is value, the derivative
//
// down and right are uniform in -p.pixels..p.pixels, mirrored is one picture in two where p.flips. Arrays [N,H,W,C] are
// alike, f32 or bf16; elements are copied, so every backend makes the same bytes. step i64 [1]. No overlap.
// 0 <= pixels <= 65535; N at most 2^31 - 1. The backward of a border, where pixels count several times, is refused.
#pragma once

#include "kernels/context.h"
#include "kernels/philox.h"
#include "kernels/random.h"
#include "kernels/tensor.h"

#include <cstdint>

namespace duel {

enum class PictureEdge { value, border };

struct ShiftFlip {
  Random random;
  int pixels = 0;
  bool flips = false;
  PictureEdge edge = PictureEdge::value;
  float value = 0.0F;
};

void shift_flip(Context&, const ShiftFlip&, View x, View step, View y);
void shift_flip_backward(Context&, const ShiftFlip&, View dy, View step, View dx);

struct PictureMove {
  int down = 0, right = 0;
  bool is_flipped = false;
};

// Of a picture of the batch at `step`: the definition, for every backend and for tests. Numbers of one Philox block.
constexpr PictureMove picture_move(const ShiftFlip& p, std::uint64_t step, std::uint32_t picture) {
  const PhiloxBlock bits = philox(p.random.seed, p.random.purpose, step, picture);
  const std::uint64_t places = 2 * static_cast<std::uint64_t>(p.pixels) + 1;
  return {static_cast<int>(bits[0] * places >> 32) - p.pixels, static_cast<int>(bits[1] * places >> 32) - p.pixels,
          p.flips && (bits[2] & 1) != 0};
}

}  // namespace duel
