// Reference of kernels/grid_sample.h.
#pragma once

#include "kernels/grid_sample.h"
#include "tests/reference/array.h"

#include <algorithm>
#include <cmath>

namespace duel::test::reference {

// Calls visit(pixel, weight, dweight/du, dweight/dv) for the pixels [N,H,W] that place `at` of grid [N,P,Q,2] lies
// between.
template <class Visit>
void each_sampled(const GridSample& p, const Shape& x, const Shape& grid_shape, const Array& grid,
                  std::int64_t at_place, const Visit& visit) {
  const auto coordinate = [&](double place, int extent, double& slope) {
    double value = ((place + 1) * extent - 1) / 2;
    slope = extent / 2.0;
    if (p.edge == GridEdge::border && (value <= 0 || value >= extent - 1)) {
      value = std::clamp(value, 0.0, extent - 1.0);
      slope = 0;
    }
    return value;
  };
  double by_u = 0, by_v = 0;
  const double column = coordinate(grid[at(2 * at_place)], x[2], by_u);
  const double row = coordinate(grid[at(2 * at_place + 1)], x[1], by_v);
  const std::int64_t n = at_place / (std::int64_t{grid_shape[1]} * grid_shape[2]);
  for (int i = 0; i < x[1]; ++i) {
    for (int j = 0; j < x[2]; ++j) {
      // From the floor up: at a whole number the derivative is that to the right.
      const double down = i - std::floor(row), right = j - std::floor(column);
      if ((down == 0 || down == 1) && (right == 0 || right == 1)) {
        const double of_row = 1 - std::fabs(row - i), of_column = 1 - std::fabs(column - j);
        visit((n * x[1] + i) * x[2] + j, of_row * of_column, by_u * of_row * (right == 0 ? -1 : 1),
              by_v * of_column * (down == 0 ? -1 : 1));
      }
    }
  }
}

inline Array grid_sample(const GridSample& p, const Shape& x_shape, const Shape& grid_shape, const Array& x,
                         const Array& grid) {
  const int channels = x_shape[3];
  Array y(at(grid_sample_output(x_shape, grid_shape).count()), 0.0);
  for (std::int64_t place = 0; place < grid_shape.count() / 2; ++place) {
    each_sampled(p, x_shape, grid_shape, grid, place, [&](std::int64_t pixel, double weight, double, double) {
      for (int c = 0; c < channels; ++c) {
        y[at(place * channels + c)] += weight * x[at(pixel * channels + c)];
      }
    });
  }
  return y;
}

inline Array grid_sample_backward_input(const GridSample& p, const Shape& x_shape, const Shape& grid_shape,
                                        const Array& dy, const Array& grid) {
  const int channels = x_shape[3];
  Array dx(at(x_shape.count()), 0.0);
  for (std::int64_t place = 0; place < grid_shape.count() / 2; ++place) {
    each_sampled(p, x_shape, grid_shape, grid, place, [&](std::int64_t pixel, double weight, double, double) {
      for (int c = 0; c < channels; ++c) {
        dx[at(pixel * channels + c)] += weight * dy[at(place * channels + c)];
      }
    });
  }
  return dx;
}

inline Array grid_sample_backward_grid(const GridSample& p, const Shape& x_shape, const Shape& grid_shape,
                                       const Array& dy, const Array& x, const Array& grid) {
  const int channels = x_shape[3];
  Array dgrid(grid.size(), 0.0);
  for (std::int64_t place = 0; place < grid_shape.count() / 2; ++place) {
    each_sampled(p, x_shape, grid_shape, grid, place, [&](std::int64_t pixel, double, double by_u, double by_v) {
      for (int c = 0; c < channels; ++c) {
        const double product = x[at(pixel * channels + c)] * dy[at(place * channels + c)];
        dgrid[at(2 * place)] += by_u * product;
        dgrid[at(2 * place + 1)] += by_v * product;
      }
    });
  }
  return dgrid;
}

}  // namespace duel::test::reference
