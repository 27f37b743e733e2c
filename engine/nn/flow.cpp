#include "engine/nn/flow.h"

#include "engine/ops/ops.h"

namespace duel {

namespace {

// [count]: the middles of `count` pixels, from -1 at the first one's outer edge to 1. Halves become quarters, each with
// its own one beside it, until there is an odd number, which are written one by one.
Value middles(Program& p, int count) {
  if (count % 2 == 0) {
    const Value halves = p.reshape(middles(p, count / 2), {count / 2, 1});
    const Value pairs =
        ops::concat_columns(p, ops::affine(p, halves, 1.0, -1.0 / count), ops::affine(p, halves, 1.0, 1.0 / count));
    return p.reshape(pairs, {count});
  }
  Value all = ops::fill(p, {1, 1}, DType::f32, 1.0 / count - 1);
  for (int i = 1; i < count; ++i) {
    all = ops::concat_columns(p, all, ops::fill(p, {1, 1}, DType::f32, (2.0 * i + 1) / count - 1));
  }
  return p.reshape(all, {count});
}

// [height width, 2], (column, row) of each pixel's middle, as grid_sample counts them.
Value middles(Program& p, int height, int width) {
  const Shape shape{height, width};
  const Value columns = ops::broadcast(p, {Axes::each_column, 1.0F}, middles(p, width), shape, DType::f32);
  const Value rows = ops::broadcast(p, {Axes::each_row, 1.0F}, middles(p, height), shape, DType::f32);
  const Shape numbers{height * width, 1};
  return ops::concat_columns(p, p.reshape(columns, numbers), p.reshape(rows, numbers));
}

// The pictures' part [N,height,width,C] that begins at (top, left).
Value part(Program& p, Value x, int top, int left, int height, int width) {
  const Shape s = p.shape(x);
  const Value beside = ops::slice_columns(p, p.reshape(x, {s[0] * s[1], s[2] * s[3]}), left * s[3], width * s[3]);
  const int row = width * s[3];
  return p.reshape(ops::slice_columns(p, p.reshape(beside, {s[0], s[1] * row}), top * row, height * row),
                   {s[0], height, width, s[3]});
}

}  // namespace

Value pixel_middles(Program& p, int count, int height, int width) {
  const Shape rows{count, height * width * 2};
  const auto all = [&](Value one) {
    const Value flat = p.reshape(one, {rows[1]});
    return p.reshape(ops::broadcast(p, {Axes::each_column, 1.0F}, flat, rows, DType::f32), {count, height, width, 2});
  };
  const Value places = middles(p, height, width);  // -1..1
  const auto in_pixels = [&](int index, int extent) {
    return ops::affine(p, ops::slice_columns(p, places, index, 1), 0.5 * extent, 0.5 * extent);
  };
  return all(ops::concat_columns(p, in_pixels(0, width), in_pixels(1, height)));
}

Value warp_by_flow(Program& p, Value x, Value flow) {
  const Program::Scope scope(p, "warp");
  const Shape s = p.shape(flow);
  const Shape rows{s[0], s[1] * s[2] * 2};
  const Value still = p.reshape(middles(p, s[1], s[2]), {rows[1]});
  const Value places = p.reshape(ops::broadcast(p, {Axes::each_column, 1.0F}, still, rows, DType::f32), s);
  const Value right = ops::affine(p, ops::slice_columns(p, flow, 0, 1), 2.0 / s[2]);
  const Value down = ops::affine(p, ops::slice_columns(p, flow, 1, 1), 2.0 / s[1]);
  return ops::grid_sample(p, {}, x, ops::add(p, places, ops::concat_columns(p, right, down)));
}

Value enlarge_flow(Program& p, Value flow) {
  const Shape s = p.shape(flow);
  const Pad2d margin{PadKind::edge, 1, 1, 1, 1};
  Resample2d up = bilinear_up();
  up.pad -= 2;  // what the margin of one pixel became lies before the picture
  return ops::affine(p, ops::resample2d(p, up, ops::pad2d(p, margin, flow), 2 * s[1], 2 * s[2]), 2.0);
}

Value flow_curvature(Program& p, Value flow) {
  const Program::Scope scope(p, "curvature");
  const Shape s = p.shape(flow);
  const auto at = [&](int top, int left) { return part(p, flow, top, left, s[1] - 2, s[2] - 2); };
  const Value twice = ops::affine(p, at(1, 1), -2.0);
  struct Place {
    int top, left;
  };
  Value sum;
  for (const auto& [top, left] : {Place{1, 0}, Place{0, 1}, Place{0, 0}, Place{0, 2}}) {
    const Value bend = ops::add(p, ops::add(p, at(top, left), at(2 - top, 2 - left)), twice);
    const Value squares = ops::affine(p, ops::multiply(p, bend, bend), 1.0, 1e-6);
    const Value logarithms = ops::affine(p, ops::unary(p, UnaryKind::log, squares), 0.45);
    const Value mean = ops::mean(p, ops::unary(p, UnaryKind::exp, logarithms));
    sum = sum.exists() ? ops::add(p, sum, mean) : mean;
  }
  return ops::affine(p, sum, 0.25);
}

}  // namespace duel
