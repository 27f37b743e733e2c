#include "kernels/grid_sample.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <limits>

namespace duel {

DUEL_BACKENDS(grid_sample, const GridSample&, View x, View grid, View y);
DUEL_BACKENDS(grid_sample_backward_input, const GridSample&, View dy, View grid, View dx);
DUEL_BACKENDS(grid_sample_backward_grid, const GridSample&, View dy, View x, View grid, View dgrid);

namespace {

constexpr int kMostExtent = 1 << 22;  // whose pixels f32 still tells apart, with some of what lies between

void check_sampled(const char* op, const char* x_name, View x, View grid, const char* y_name, View y) {
  check_float(op, x_name, x);
  check(x.shape.rank() == 4 && x.shape[1] <= kMostExtent && x.shape[2] <= kMostExtent,
        "{}: {} is {}, but must be [N,H,W,C] with H and W up to {}", op, x_name, x, kMostExtent);
  check(grid.dtype == DType::f32 && grid.shape.rank() == 4 && grid.shape[0] == x.shape[0] && grid.shape[3] == 2,
        "{}: the grid is {}, but must be f32[{},P,Q,2]", op, grid, x.shape[0]);
  const Shape expected = grid_sample_output(x.shape, grid.shape);
  check(y.shape == expected && y.dtype == x.dtype, "{}: {} is {}, but must be {}", op, y_name, y,
        View{nullptr, expected, x.dtype});
  check(x.count() <= std::numeric_limits<int>::max() && y.count() <= std::numeric_limits<int>::max(),
        "{}: {} is {} and {} {}, but must have fewer than 2^31 elements", op, x_name, x, y_name, y);
}

}  // namespace

Shape grid_sample_output(const Shape& x, const Shape& grid) {
  check(x.rank() == 4 && grid.rank() == 4, "grid_sample: pictures {} and the grid {} must have four extents", x, grid);
  return {grid[0], grid[1], grid[2], x[3]};
}

void grid_sample(Context& context, const GridSample& p, View x, View grid, View y) {
  check_sampled("grid_sample", "x", x, grid, "y", y);
  context.run([&](auto& backend) { grid_sample(backend, p, x, grid, y); });
}

void grid_sample_backward_input(Context& context, const GridSample& p, View dy, View grid, View dx) {
  check_sampled("grid_sample_backward_input", "dx", dx, grid, "dy", dy);
  context.run([&](auto& backend) { grid_sample_backward_input(backend, p, dy, grid, dx); });
}

void grid_sample_backward_grid(Context& context, const GridSample& p, View dy, View x, View grid, View dgrid) {
  constexpr const char* kOp = "grid_sample_backward_grid";
  check_sampled(kOp, "x", x, grid, "dy", dy);
  check_f32(kOp, "dgrid", dgrid, grid.shape);
  context.run([&](auto& backend) { grid_sample_backward_grid(backend, p, dy, x, grid, dgrid); });
}

const char* name_of(GridEdge edge) {
  switch (edge) {
    case GridEdge::zeros: return "zeros";
    case GridEdge::border: return "border";
  }
  throw Error(Error::Kind::internal, "name_of: unknown edge of a grid");
}

}  // namespace duel
