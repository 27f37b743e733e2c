#pragma once

#include "engine/program/program.h"

namespace duel {

// Missing pixels made of the known ones around them, smoothly: means of known pixels are taken over ever larger
// squares, and from the largest down each square that knows too little takes what the larger one has and is smoothed
// (Gortler et al., "The lumigraph", 1996, pull and push, with a few steps of a harmonic fill at each level).
//
//   down    weight[0] = known, colour[0] = known x; both halved by the means of four, up to kLevels times
//   up      v = colour[last] / weight[last]; at each level a = min(1, 4 weight):
//           v = a colour / weight + (1 - a) v enlarged twice, bilinear; kSmoothings times
//           v = a colour / weight + (1 - a) (mean of the 3x3 of v, the edge repeated)
//
// x [N,H,W,C], known [N,H,W,C], 1 where a pixel is known and 0 elsewhere; f32 [N,H,W,C], x itself where it is known. A
// level that does not halve evenly is the last one. A picture without a known pixel becomes 0.
Value fill_holes(Program& program, Value x, Value known);

}  // namespace duel
