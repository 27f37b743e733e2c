#include "engine/nn/patch_contrast.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <algorithm>
#include <cmath>

namespace duel {

namespace {

constexpr double kRoundedOff = 1e-9;  // of a whole number of cells

// 0, 1, ... count - 1: f32 [count].
Value whole_numbers(Program& program, int count) {
  Value numbers = ops::fill(program, {1}, DType::f32, 0.0);
  for (int length = 1; length < count; length *= 2) {
    numbers = ops::concat_rows(program, numbers, ops::affine(program, numbers, 1.0, length));
  }
  return program.shape(numbers)[0] == count ? numbers : ops::slice_rows(program, numbers, 0, count);
}

// The places along one axis, each at begin[cell] + part / cells of -1..1. begins f32 [cells of the map].
Value along(Program& program, Value begins, Value parts, int cells) {
  const Shape shape = program.shape(parts);
  const Shape flat = {shape[0], static_cast<int>(shape.row_count())};
  const Value all = ops::broadcast(program, {Axes::each_column, 1.0F}, begins, flat, DType::f32);
  const Value cell = ops::add(program, program.reshape(all, shape), parts);
  return ops::affine(program, cell, 2.0 / cells, -1.0);
}

}  // namespace

PlaceCells cells_of(int places, int height, int width) {
  check(places >= 1 && height >= 1 && width >= 1, "patch_contrast: {} places of a map of {}x{}", places, height, width);
  const double scale = std::min(1.0, std::sqrt(places / (static_cast<double>(height) * width)));
  PlaceCells cells;
  cells.rows = std::max(1, static_cast<int>(height * scale + kRoundedOff));
  cells.columns = std::max(1, static_cast<int>(width * scale + kRoundedOff));
  cells.rows = std::min(cells.rows, places / cells.columns > 0 ? places / cells.columns : 1);
  cells.columns = std::min(cells.columns, places / cells.rows);
  return cells;
}

Value places_in_cells(Program& program, const PlaceCells& cells, Value uniform) {
  const Program::Scope scope(program, "places");
  const Shape map = {cells.rows, cells.columns}, flat = {cells.count()};
  const Value column =
      ops::broadcast(program, {Axes::each_column, 1.0F}, whole_numbers(program, cells.columns), map, DType::f32);
  const Value row =
      ops::broadcast(program, {Axes::each_row, 1.0F}, whole_numbers(program, cells.rows), map, DType::f32);
  const auto part = [&](int axis) { return ops::slice_columns(program, uniform, axis, 1); };
  return ops::concat_columns(program, along(program, program.reshape(column, flat), part(0), cells.columns),
                             along(program, program.reshape(row, flat), part(1), cells.rows));
}

Value features_at(Program& program, Value map, Value places) {
  const Value found = ops::grid_sample(program, {GridEdge::border}, map, places);
  const Shape shape = program.shape(found);
  return program.reshape(found, {shape[0] * shape[1] * shape[2], shape[3]});
}

Value of_unit_length(Program& program, Value x) {
  constexpr double kNothing = 1e-12;
  const Value squares = ops::reduce_sum(program, {Axes::each_row, 1.0F}, ops::multiply(program, x, x));
  const Value factors = ops::unary(program, UnaryKind::rsqrt, ops::affine(program, squares, 1.0, kNothing));
  return ops::multiply(program, x,
                       ops::broadcast(program, {Axes::each_row, 1.0F}, factors, program.shape(x), DType::f32));
}

Value contrast_losses(Program& program, Value queries, Value keys, int places, double temperature) {
  const Program::Scope scope(program, "contrast");
  const Shape rows = program.shape(queries);
  check(temperature >= kLeastTemperature && rows == program.shape(keys) && rows[0] % places == 0,
        "contrast: {} queries, {} keys, {} places of a picture, temperature {}", rows, program.shape(keys), places,
        temperature);
  const Shape pictures = {rows[0] / places, places, rows[1]};
  const Value products = ops::batched_matmul(program, {.transpose_b = true}, program.reshape(queries, pictures),
                                             program.reshape(keys, pictures), DType::f32);
  const auto below_most = [&](Value x) { return ops::affine(program, x, 1 / temperature, -1 / temperature); };
  const Value shares = ops::unary(program, UnaryKind::exp, below_most(program.reshape(products, {rows[0], places})));
  const Value all = ops::unary(program, UnaryKind::log, ops::reduce_sum(program, {Axes::each_row, 1.0F}, shares));
  const Value own = ops::reduce_sum(program, {Axes::each_row, 1.0F}, ops::multiply(program, queries, keys));
  return ops::add(program, all, ops::affine(program, below_most(own), -1.0));
}

}  // namespace duel
