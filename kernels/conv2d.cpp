#include "kernels/conv2d.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <fmt/format.h>

namespace duel {

DUEL_BACKENDS(prepare_conv2d_forward, const Conv2d&, const Activation&, View x, View w, View bias, View y);
DUEL_BACKENDS(prepare_conv2d_backward_input, const Conv2d&, View dy, View w, View dx);
DUEL_BACKENDS(prepare_conv2d_backward_weight, const Conv2d&, View x, View dy, View dw);
DUEL_BACKENDS(conv2d_forward, const Conv2d&, const Activation&, View x, View w, View bias, View y);
DUEL_BACKENDS(conv2d_backward_input, const Conv2d&, View dy, View w, View dx);
DUEL_BACKENDS(conv2d_backward_weight, const Conv2d&, View x, View dy, View dw);

namespace {

Shape output_of(const char* op, const Conv2d& conv, const Shape& x, const Shape& w) {
  check(x.rank() == 4 && w.rank() == 4, "{}: x is {} and w is {}, but both must have rank 4", op, x, w);
  check(conv.stride >= 1 && conv.pad_top >= 0 && conv.pad_bottom >= 0 && conv.pad_left >= 0 && conv.pad_right >= 0,
        "{}: for x {} and w {}, stride is {} and padding {},{},{},{}, but the stride must be positive and no padding "
        "negative",
        op, x, w, conv.stride, conv.pad_top, conv.pad_bottom, conv.pad_left, conv.pad_right);
  const int height = x[1] + conv.pad_top + conv.pad_bottom, width = x[2] + conv.pad_left + conv.pad_right;
  check(w[1] <= height && w[2] <= width, "{}: the filter of w {} is larger than x {} with its padding, {}x{}", op, w, x,
        height, width);
  return {x[0], (height - w[1]) / conv.stride + 1, (width - w[2]) / conv.stride + 1, w[0]};
}

void check_conv2d(const char* op, const Conv2d& conv, View x, View w, View y) {
  check_float(op, "x", x);
  check_float(op, "w", w);
  check_float(op, "y", y);
  check(x.shape.rank() == 4 && w.shape.rank() == 4, "{}: x is {} and w is {}, but both must have rank 4", op, x, w);
  check(conv.groups >= 1 && x.shape[3] % conv.groups == 0 && w.shape[0] % conv.groups == 0,
        "{}: x is {} and w is {}, but {} groups must be at least 1 and divide {} channels and {} filters", op, x, w,
        conv.groups, x.shape[3], w.shape[0]);
  check(w.shape[3] == x.shape[3] / conv.groups, "{}: w is {} but x is {}, so w must be [K,R,S,{}]{}", op, w, x,
        x.shape[3] / conv.groups, conv.groups > 1 ? fmt::format(" in {} groups", conv.groups) : "");
  const Shape expected = output_of(op, conv, x.shape, w.shape);
  check(y.shape == expected, "{}: y is {}, but x {} and w {} at stride {} and padding {},{},{},{} make {}", op, y, x, w,
        conv.stride, conv.pad_top, conv.pad_bottom, conv.pad_left, conv.pad_right, expected);
}

void check_forward(const Conv2d& conv, View x, View w, View bias, View y) {
  check_conv2d("conv2d_forward", conv, x, w, y);
  check(x.dtype == w.dtype, "conv2d_forward: x is {} and w is {}, but both must have one type", x, w);
  check(y.dtype == x.dtype || y.dtype == DType::f32, "conv2d_forward: y is {}, but must be f32 or as x, {}", y, x);
  if (is_present(bias)) {
    check_f32("conv2d_forward", "bias", bias, Shape{w.shape[0]});
  }
}

void check_backward_input(const Conv2d& conv, View dy, View w, View dx) {
  check_conv2d("conv2d_backward_input", conv, dx, w, dy);
  check(dy.dtype == w.dtype, "conv2d_backward_input: dy is {} and w is {}, but both must have one type", dy, w);
  check(dx.dtype == dy.dtype || dx.dtype == DType::f32, "conv2d_backward_input: dx is {}, but must be f32 or as dy, {}",
        dx, dy);
}

void check_backward_weight(const Conv2d& conv, View x, View dy, View dw) {
  check_conv2d("conv2d_backward_weight", conv, x, dw, dy);
  check(x.dtype == dy.dtype, "conv2d_backward_weight: x is {} and dy is {}, but both must have one type", x, dy);
  check(dw.dtype == DType::f32, "conv2d_backward_weight: dw is {}, but must be f32", dw);
}

}  // namespace

void prepare_conv2d_forward(Context& context, const Conv2d& conv, const Activation& act, View x, View w, View bias,
                            View y) {
  check_forward(conv, x, w, bias, y);
  context.run([&](auto& backend) { prepare_conv2d_forward(backend, conv, act, x, w, bias, y); });
}

void prepare_conv2d_backward_input(Context& context, const Conv2d& conv, View dy, View w, View dx) {
  check_backward_input(conv, dy, w, dx);
  context.run([&](auto& backend) { prepare_conv2d_backward_input(backend, conv, dy, w, dx); });
}

void prepare_conv2d_backward_weight(Context& context, const Conv2d& conv, View x, View dy, View dw) {
  check_backward_weight(conv, x, dy, dw);
  context.run([&](auto& backend) { prepare_conv2d_backward_weight(backend, conv, x, dy, dw); });
}

void conv2d_forward(Context& context, const Conv2d& conv, const Activation& act, View x, View w, View bias, View y) {
  check_forward(conv, x, w, bias, y);
  context.run([&](auto& backend) { conv2d_forward(backend, conv, act, x, w, bias, y); });
}

void conv2d_backward_input(Context& context, const Conv2d& conv, View dy, View w, View dx) {
  check_backward_input(conv, dy, w, dx);
  context.run([&](auto& backend) { conv2d_backward_input(backend, conv, dy, w, dx); });
}

void conv2d_backward_weight(Context& context, const Conv2d& conv, View x, View dy, View dw) {
  check_backward_weight(conv, x, dy, dw);
  context.run([&](auto& backend) { conv2d_backward_weight(backend, conv, x, dy, dw); });
}

Shape conv2d_output(const Conv2d& conv, const Shape& x, const Shape& w) {
  return output_of("conv2d", conv, x, w);
}

Cost conv2d_cost(const Conv2d&, View x, View w, View y) {
  return {2.0 * static_cast<double>(y.count()) * static_cast<double>(w.shape.row_count()), bytes_of({x, w, y})};
}

}  // namespace duel
