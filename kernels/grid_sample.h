// Pictures looked up at places between their pixels (Jaderberg, Simonyan, Zisserman & Kavukcuoglu, "Spatial transformer
// networks", 2015, equation 5): warps by a flow, a garment laid over a body. As PyTorch's grid_sample, bilinear, with
// align_corners=false: of the place (u, v) = grid[n,p,q], in [-1,1] from edge to edge,
//
//   column = ((u + 1) W - 1) / 2,  row = ((v + 1) H - 1) / 2      the middle of pixel (0, 0) is column 0, row 0
//   grid_sample                 y[n,p,q,c] = sum over the four pixels around (row, column) of weight x[n,i,j,c],
//                               weight = (1 - |row - i|) (1 - |column - j|)
//   grid_sample_backward_input  dx[n,i,j,c] = sum over all places of weight dy[n,p,q,c]; linear in dy
//   grid_sample_backward_grid   dgrid[n,p,q,0] = W/2 sum over c, i of (1 - |row - i|) (x[n,i,j+1,c] - x[n,i,j,c]) dy,
//   and
//                               [1] alike along the rows
//
//   beyond the picture   zeros   a pixel there is 0
//                        border  column and row are first moved to the nearest of 0..W-1 and 0..H-1; their derivative
//                        is
//                                0 where they were moved
//
// x, dx [N,H,W,C], y, dy [N,P,Q,C] f32 or bf16, alike; grid and dgrid f32 [N,P,Q,2]. A place that is not a number makes
// numbers that are none. No overlap. Each pixel of dx is an f32 sum in the order of the places, on every backend: of a
// sum in the order in which threads come no two runs have the same bytes, and fixed point would need eight bytes of
// memory for each number of dx.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

enum class GridEdge { zeros, border };

struct GridSample {
  GridEdge edge = GridEdge::zeros;
};

Shape grid_sample_output(const Shape& x, const Shape& grid);

void grid_sample(Context&, const GridSample&, View x, View grid, View y);
void grid_sample_backward_input(Context&, const GridSample&, View dy, View grid, View dx);
void grid_sample_backward_grid(Context&, const GridSample&, View dy, View x, View grid, View dgrid);

const char* name_of(GridEdge edge);

}  // namespace duel
