// Pictures with a margin that continues them, in place of zeros, which a network would see as an edge.
//
//   pad2d           y[n,h,w,c]  = x[n, f(h - top, H), f(w - left, W), c]
//   pad2d_backward  dx[n,i,j,c] = sum of dy[n,h,w,c] over the places that y took x[n,i,j,c] for; its derivative
//
//   f(i, L)   edge     the nearest: 0 for i < 0, L - 1 for i >= L
//             reflect  mirrored at the middle of the first and last pixel: -i for i < 0, 2 (L - 1) - i for i >= L
//
// x, dx [N,H,W,C]; y, dy [N, H + top + bottom, W + left + right, C]; f32 or bf16, alike; sums are f32, row by row. No
// overlap. Margins are at least 0, those of `reflect` less than the extent.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

enum class PadKind { edge, reflect };

struct Pad2d {
  PadKind kind = PadKind::reflect;
  int top = 0, left = 0, bottom = 0, right = 0;
};

Shape pad2d_output(const Pad2d&, const Shape& x);

void pad2d(Context&, const Pad2d&, View x, View y);
void pad2d_backward(Context&, const Pad2d&, View dy, View dx);

const char* name_of(PadKind kind);

}  // namespace duel
