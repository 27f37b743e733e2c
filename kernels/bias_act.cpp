#include "kernels/bias_act.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(bias_act_forward, const Activation&, View x, View bias, View y);
DUEL_BACKENDS(activation_backward, const Activation&, View dy, View y, View dx);
DUEL_BACKENDS(bias_backward, View dy, View db);
DUEL_BACKENDS(bias_act_backward, const Activation&, View dy, View y, View dx, View db);

void bias_act_forward(Context& context, const Activation& act, View x, View bias, View y) {
  check_float("bias_act_forward", "x", x);
  check_like("bias_act_forward", "y", y, "x", x);
  if (is_present(bias)) {
    check_f32("bias_act_forward", "bias", bias, Shape{x.shape.back()});
  }
  context.run([&](auto& backend) { bias_act_forward(backend, act, x, bias, y); });
}

void activation_backward(Context& context, const Activation& act, View dy, View y, View dx) {
  check_float("activation_backward", "dy", dy);
  check_like("activation_backward", "y", y, "dy", dy);
  check_like("activation_backward", "dx", dx, "dy", dy);
  context.run([&](auto& backend) { activation_backward(backend, act, dy, y, dx); });
}

void bias_backward(Context& context, View dy, View db) {
  check_float("bias_backward", "dy", dy);
  check_f32("bias_backward", "db", db, Shape{dy.shape.back()});
  context.run([&](auto& backend) { bias_backward(backend, dy, db); });
}

void bias_act_backward(Context& context, const Activation& act, View dy, View y, View dx, View db) {
  check_float("bias_act_backward", "dy", dy);
  check_like("bias_act_backward", "y", y, "dy", dy);
  check_like("bias_act_backward", "dx", dx, "dy", dy);
  check_f32("bias_act_backward", "db", db, Shape{dy.shape.back()});
  context.run([&](auto& backend) { bias_act_backward(backend, act, dy, y, dx, db); });
}

}  // namespace duel
