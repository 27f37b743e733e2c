// Convolutions with 3x3 filters at stride 1, by Winograd's minimal filtering: a quarter of the products. In groups of
// channels each group is a convolution of its own. Arrays of bf16 are only read and written as such: between, all is
// f32, since the transforms would magnify the rounding of bf16.
//
// Each thread takes a few tiles at a time, so that all between reading x and writing y stays in its caches: transform
// the tiles' inputs, multiply 36 pairs of small matrices, transform back with bias and activation. oneDNN's direct
// convolution runs at the processor's peak already, so fewer products is what is left. The transforms are in
// winograd_tiles.h; the rounding error is about three times the direct sum's.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cpu/context.h"

namespace duel {

// Whether a convolution of x with w to y is better done so. Depends on types and extents alone.
// For the input gradient x is dy and y is dx.
bool suits_winograd(const Conv2d&, View x, View w, View y);
bool suits_winograd_weight(const Conv2d&, View x, View dw, View dy);

std::size_t winograd_forward_scratch_bytes(const CpuContext&, const Conv2d&, View w);
std::size_t winograd_backward_weight_scratch_bytes(const CpuContext&, const Conv2d&, View dw);

void conv2d_forward_winograd(CpuContext&, const Conv2d&, const Activation&, View x, View w, View bias, View y);
void conv2d_backward_input_winograd(CpuContext&, const Conv2d&, View dy, View w, View dx);
void conv2d_backward_weight_winograd(CpuContext&, const Conv2d&, View x, View dy, View dw);

}  // namespace duel
