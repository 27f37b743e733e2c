#include "kernels/conv2d_bias_act.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(prepare_conv2d_bias_act_backward, const Conv2d&, const Activation&, View x, View dy, View y, View dz,
              View dw, View db);
DUEL_BACKENDS(conv2d_bias_act_backward, const Conv2d&, const Activation&, View x, View dy, View y, View dz, View dw,
              View db);

namespace {

void check_arguments(const Conv2d& conv, View x, View dy, View y, View dz, View dw, View db) {
  constexpr const char* kOp = "conv2d_bias_act_backward";
  check_float(kOp, "x", x);
  check(conv.groups == 1, "{}: the convolution has {} groups, but must have one", kOp, conv.groups);
  check(dw.shape.rank() == 4 && dw.dtype == DType::f32, "{}: dw is {}, but must be f32 and of rank 4", kOp, dw);
  const Shape expected = conv2d_output(conv, x.shape, dw.shape);
  check(dw.shape[3] == x.shape[3], "{}: dw is {} but x is {}, so dw must be [K,R,S,{}]", kOp, dw, x, x.shape[3]);
  check(dy.shape == expected && dy.dtype == x.dtype, "{}: dy is {}, but x {} and dw {} make {}", kOp, dy, x, dw,
        View{nullptr, expected, x.dtype});
  check_like(kOp, "y", y, "dy", dy);
  check_like(kOp, "dz", dz, "dy", dy);
  check_f32(kOp, "db", db, Shape{dw.shape[0]});
}

}  // namespace

void prepare_conv2d_bias_act_backward(Context& context, const Conv2d& conv, const Activation& act, View x, View dy,
                                      View y, View dz, View dw, View db) {
  check_arguments(conv, x, dy, y, dz, dw, db);
  context.run([&](auto& backend) { prepare_conv2d_bias_act_backward(backend, conv, act, x, dy, y, dz, dw, db); });
}

void conv2d_bias_act_backward(Context& context, const Conv2d& conv, const Activation& act, View x, View dy, View y,
                              View dz, View dw, View db) {
  check_arguments(conv, x, dy, y, dz, dw, db);
  context.run([&](auto& backend) { conv2d_bias_act_backward(backend, conv, act, x, dy, y, dz, dw, db); });
}

}  // namespace duel
