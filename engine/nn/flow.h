// Pictures warped by a flow, and what a flow is held to. A flow [N,H,W,2] f32 says of each pixel how many pixels to the
// right and down of it lies what is seen there, in pixels of the flow's own size; 0 leaves all where it is.
#pragma once

#include "engine/program/program.h"

namespace duel {

// x [N,H,W,C] looked up where the flow points, bilinear, 0 beyond the picture.
Value warp_by_flow(Program& program, Value x, Value flow);

// [count,height,width,2] f32: (column, row) of each pixel's middle, 0.5 of the first.
Value pixel_middles(Program& program, int count, int height, int width);

// [N,2H,2W,2]: the same flow of a picture of twice the size, bilinear, its edge continued.
Value enlarge_flow(Program& program, Value flow);

// The mean over pixels that have all neighbours, over both numbers and over four directions (along, down, both
// diagonals) of (d^2 + 1e-6)^0.45, d the second difference: bends, as Ge et al. charge them ("Parser-free virtual
// try-on via distilling appearance flows", 2021, equation 4). f32 [1]. At least 3 pixels a side.
Value flow_curvature(Program& program, Value flow);

}  // namespace duel
