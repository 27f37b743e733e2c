// The axes of an array in another order: an attention's heads apart, blocks of pixels beside each other as channels.
//
//   permute   y[i0,i1,i2,i3] = x[j0,j1,j2,j3] with j[order[a]] = i[a]: axis a of y is the axis order[a] of x
//
// x, y f32 or bf16, alike, of four extents and fewer than 2^31 elements. No overlap. Bound by memory where the last
// axes stay the last: what lies together in both is moved as one piece.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

#include <array>

namespace duel {

struct Permute {
  std::array<int, 4> order = {0, 1, 2, 3};  // each of 0..3 once

  bool operator==(const Permute&) const = default;
};

Shape permute_output(const Permute&, const Shape& x);
Permute inverse(const Permute&);

void permute(Context&, const Permute&, View x, View y);

}  // namespace duel
