// Convolutions with 4x4 filters at stride 2, which halve pictures (and whose input gradient doubles them), by
// Winograd's minimal filtering: 0.4 to 0.5 of the products.
//
// Such a convolution is one with 2x2 filters at stride 1 of a picture of four times the channels: of its pixels in even
// and odd rows and columns (phases). With (r, s) = 2 (i, j) + phase, x of a phase is every other pixel, and so is dx.
// As conv2d_winograd.h otherwise; the transforms are in winograd_pairs.h.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cpu/context.h"

#include <cstddef>

namespace duel {

// Whether these extents are better done so, in f32. Depends on types and extents alone.
bool suits_halving(const Conv2d&, View x, View w, View y);
// The same of the weight gradient, whose arrays may be bf16: oneDNN's runs at a third of its speed there.
bool suits_halving_weight(const Conv2d&, View x, View dw, View dy);

std::size_t halving_scratch_bytes(const CpuContext&, View w);
std::size_t halving_weight_scratch_bytes(const CpuContext&, View dw);

void conv2d_forward_halving(CpuContext&, const Conv2d&, const Activation&, View x, View w, View bias, View y);
void conv2d_backward_input_halving(CpuContext&, const Conv2d&, View dy, View w, View dx);
void conv2d_backward_weight_halving(CpuContext&, const Conv2d&, View x, View dy, View dw);

}  // namespace duel
